"""What a deployment asks to be polled: its controllers, and the APs that have a host."""

from dataclasses import dataclass
from datetime import datetime

from collectors.snmp.engine import Target
from config.deployment import AccessPoint, Deployment


@dataclass(frozen=True, slots=True)
class Job:
    """One device to poll, and whom it speaks for."""

    target: Target
    profile: str
    """A profile's name, or `auto`."""
    poll_seconds: int
    controller: str | None
    """Its id; None: the device is an AP."""
    aps: tuple[AccessPoint, ...]
    """The AP that is polled itself, or all that are seen through the controller."""

    @property
    def is_controller(self) -> bool:
        """Whether it speaks for other devices."""
        return self.controller is not None

    def in_service(self, deployment: Deployment, now: datetime) -> tuple[AccessPoint, ...]:
        """Its APs that are in service at an instant."""
        now_ms = int(now.timestamp() * 1000)
        return tuple(ap for ap in self.aps if _serves(deployment, ap, now_ms))


def jobs_of(deployment: Deployment) -> tuple[Job, ...]:
    """Every device of a deployment that is polled over SNMP."""
    through: dict[str, list[AccessPoint]] = {name: [] for name in deployment.controllers}
    jobs = []
    for ap in deployment.access_points.values():
        if ap.source != "snmp":
            continue
        if ap.host:
            target = target_of(deployment, ap.ap, ap.host, ap.port, ap.credential)
            jobs.append(Job(target, ap.profile, deployment.poll_seconds(ap), None, (ap,)))
        elif ap.controller in through:
            through[ap.controller].append(ap)
    for controller in deployment.controllers.values():
        target = target_of(
            deployment,
            f"controller {controller.controller}",
            controller.host,
            controller.port,
            controller.credential,
        )
        seconds = controller.poll_seconds or deployment.settings.snmp.poll_seconds
        id_ = controller.controller
        jobs.append(Job(target, controller.profile, seconds, id_, tuple(through[id_])))
    return tuple(jobs)


def target_of(deployment: Deployment, name: str, host: str, port: int, credential: str) -> Target:
    """A device with the deployment's patience. The loader has checked the credential's name."""
    snmp = deployment.settings.snmp
    return Target(
        name=name,
        host=host,
        port=port,
        credential=snmp.credentials[credential],
        timeout_s=snmp.timeout_s,
        retries=snmp.retries,
        max_repetitions=snmp.max_repetitions,
    )


def _serves(deployment: Deployment, ap: AccessPoint, now_ms: int) -> bool:
    since, until = deployment.service_ms(ap)
    return (since is None or since <= now_ms) and (until is None or now_ms < until)
