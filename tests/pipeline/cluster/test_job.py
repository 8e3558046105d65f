"""What travels to the workers of a cluster."""

import pickle

from pydantic import SecretStr

from config.settings import CommunityCredential, InfluxdbStore, Mqtt, Settings, Snmp
from pipeline.cluster.influx import InfluxSource
from pipeline.cluster.job import job_of
from pipeline.usage.service import in_service
from tests.pipeline.cluster.week import END, START, deployment

TOKEN, COMMUNITY, PASSWORD = "the-token", "the-community", "the-password"
INFLUXDB = InfluxdbStore(
    kind="influxdb", url="http://127.0.0.1:9", org="city", token=SecretStr(TOKEN)
)


def test_no_credential_travels_with_what_all_tasks_share() -> None:
    settings = Settings(
        city="Testville",
        timezone="Europe/Brussels",
        store=INFLUXDB,
        snmp=Snmp(credentials={"default": CommunityCredential(community=SecretStr(COMMUNITY))}),
        mqtt=Mqtt(host="broker", password=SecretStr(PASSWORD)),
    )
    city = deployment().model_copy(update={"settings": settings})
    service = in_service(city, dict.fromkeys(city.sites, (START, END)))
    assert COMMUNITY.encode() in pickle.dumps(city)
    travels = pickle.dumps(job_of(city, service))
    assert [s for s in (TOKEN, COMMUNITY, PASSWORD) if s.encode() in travels] == []


def test_the_token_of_a_source_travels_and_does_not_show() -> None:
    source = InfluxSource(INFLUXDB)
    arrived = pickle.loads(pickle.dumps(source))
    assert arrived.server.token.get_secret_value() == TOKEN
    assert TOKEN not in repr(arrived) + str(arrived)
