"""`carbon-node deploy`: found a ledger from a plan file.

    threshold = 3
    [[organisations]]            # every organisation with at least two representatives
    name = "park-operator"
    kind = "park_operator"       # enterprise, verifier, regulator, bank, …
    initiators = ["0x…"]         # addresses of keys; one may stand in both lists
    approvers  = ["0x…"]
    [[members]]                  # organisations that run an oracle, in order
    organisation = "park-operator"
    key = "0x…"
    [[streams]]
    name = "park"
    max_silence_s = 7200

A plan names addresses only. The deployer's transport key is made beside the deployment
file, so that a run that broke off is taken up by the same command; after the hand-over
it can do nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.chain import ChainClient
from contracts.deployment import deploy
from contracts.directory import Deployment
from contracts.enumerations import Kind
from contracts.plan import DeploymentPlan, Organisation, Stream
from contracts.sender import Sender
from contracts.structs import Member
from contracts.typed_data import account_id
from node.plan_file import read_kind, read_plan, read_representatives
from node.relayer import transport_key

__all__ = ["found_ledger", "load_plan"]


def found_ledger(plan_path: Path, rpc_url: str, out: Path) -> Deployment:
    """Deploy the ledger of a plan, or take up a deployment that broke off.

    Args:
        plan_path: Plan file (TOML).
        rpc_url: The chain's RPC.
        out: Deployment file to write; the deployer's key lies beside it.

    Returns:
        Where the contracts are.

    Raises:
        InvalidConfigError: The plan or the key cannot be used.
        ContractsError: The chain refuses, does not answer, or contradicts the plan.
    """
    plan = load_plan(plan_path)
    key = transport_key(out.with_suffix(".key"))
    client = ChainClient(rpc_url)
    try:
        deployment = deploy(client, Sender(client, key), plan)
    finally:
        client.close()
    out.write_text(deployment.to_json(), "utf-8")
    return deployment


def load_plan(path: Path) -> DeploymentPlan:
    """Read a plan file.

    Args:
        path: TOML file.

    Returns:
        The plan, not checked against a chain.

    Raises:
        InvalidConfigError: Names the entry that is missing or wrong.
    """
    return read_plan(path, _plan, "carbon-node deploy")


def _plan(content: Mapping[str, Any]) -> DeploymentPlan:
    organisations = tuple(map(_organisation, content["organisations"]))
    kinds = {one.name: one.kind for one in organisations}
    return DeploymentPlan(
        organisations,
        tuple(_member(one, kinds) for one in content["members"]),
        int(content["threshold"]),
        tuple(Stream(one["name"], one["max_silence_s"]) for one in content["streams"]),
    )


def _organisation(entry: Mapping[str, Any]) -> Organisation:
    return Organisation(entry["name"], read_kind(entry), read_representatives(entry))


def _member(entry: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Member:
    organisation = entry["organisation"]
    return Member(entry["key"], account_id(organisation), kinds[organisation])
