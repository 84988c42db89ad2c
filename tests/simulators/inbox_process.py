"""A real inbox process for kill tests: `python -m tests.simulators.inbox_process`.

Arguments: database (file or URL), port, number of devices, number of worker processes.
Devices are those of `DeviceSimulator` named `meter-0`, `meter-1`, and so on.
"""

import sys
import time
from pathlib import Path

import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec

from oracle.inbox.app import create_app
from oracle.inbox.inbox import Inbox, InboxSettings
from oracle.reading.suites import SoftwareSigner
from tests.simulators.device import DOMAIN, DeviceSimulator, registry_of


def main() -> None:
    port, count, workers = map(int, sys.argv[2:5])
    database = sys.argv[1] if "://" in sys.argv[1] else Path(sys.argv[1])
    devices = [DeviceSimulator(f"meter-{number}") for number in range(count)]
    signer = SoftwareSigner(ec.derive_private_key(7, ec.SECP256R1()))
    settings = InboxSettings(database, DOMAIN, workers=workers)
    with Inbox(
        settings, registry_of(*devices), signer, lambda: int(time.time())
    ) as one:
        uvicorn.run(create_app(one), host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    main()
