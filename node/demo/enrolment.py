"""Step 1: carriers enrolled by the identity platform, boundaries by the regulator."""

from accounting.boundary import Boundary, Source
from contracts.typed_data import account_id, boundary_id
from node.demo.carriers import REGISTER, Carrier
from node.demo.park import ENTERPRISES, Enterprise
from node.demo.people import IDENTITY_PLATFORM, REGULATOR
from node.demo.stage import Stage, Told

REGION = "华东"
"""Grid region whose factor counts."""
INDUSTRY = "steel"
REGISTRATIONS_A_CALL = 4


def enrol(stage: Stage, carriers: list[Carrier]) -> Told:
    """Register carriers and boundaries.

    Args:
        stage: The running parts.
        carriers: What the identity platform enrols.
    """
    acts, ledger = stage.ledger.acts, stage.ledger.ledger
    for start in range(0, len(carriers), REGISTRATIONS_A_CALL):
        some = [
            c.registration() for c in carriers[start : start + REGISTRATIONS_A_CALL]
        ]
        acts.govern(IDENTITY_PLATFORM, [ledger.carriers.register(some)])
    stage.members.wait_followed(stage.ledger.client.block_number())
    boundaries = [boundary_of(enterprise) for enterprise in ENTERPRISES]
    acts.govern(
        REGULATOR,
        [
            ledger.emissions.register_boundary(
                boundary_id(one.name), account_id(one.account_name), one.to_bytes()
            )
            for one in boundaries
        ],
    )
    return Told(
        "Carriers and boundaries registered",
        {
            "carriers": [carrier.identifier for carrier in carriers],
            "boundaries": [one.name for one in boundaries],
        },
    )


def boundary_of(enterprise: Enterprise) -> Boundary:
    """Return the boundary of an enterprise: all its meters."""
    sources = tuple(
        Source(enterprise.identifier(meter), REGISTER, meter.kind.role)
        for meter in enterprise.meters
    )
    return Boundary(
        name=enterprise.name,
        account_name=enterprise.name,
        title_zh=enterprise.title_zh,
        title_en=enterprise.title_en,
        industry=INDUSTRY,
        region=REGION,
        sources=sources,
    )
