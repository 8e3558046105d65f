"""`spotwatch run`: the daemon."""

import asyncio
import signal

import structlog

from cli.options import ConfigOption
from cli.profiles import open_with_profiles
from cli.service import Service
from config.deployment import Deployment

log = structlog.get_logger(__name__)


def run(config: ConfigOption = None) -> None:
    """Collect, aggregate and judge until stopped by Ctrl-C or SIGTERM, which lose nothing."""
    deployment, _ = open_with_profiles(config)
    asyncio.run(serve(deployment))


async def serve(deployment: Deployment) -> None:
    """Run the service until SIGTERM or SIGINT, then stop it cleanly."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopping.set)
    service = Service(deployment)
    await service.start()
    log.info("running", city=deployment.settings.city, sites=len(deployment.sites))
    try:
        await stopping.wait()
    finally:
        log.info("stopping")
        await service.stop()
        log.info("stopped")
