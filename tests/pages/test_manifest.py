"""The Kubernetes manifest is valid, and fits the program that it runs."""

import copy
import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
MANIFEST = REPOSITORY / "snippets/workers.yaml"
KUBERNETES = "1.35"

Resource = dict[str, Any]


@pytest.fixture
def resources() -> dict[str, Resource]:
    """The resources of the manifest, by their kind."""
    documents = yaml.safe_load_all(MANIFEST.read_text("utf-8"))
    return {document["kind"]: document for document in documents}


@pytest.fixture
def pod(resources: dict[str, Resource]) -> Resource:
    spec: Resource = resources["Job"]["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(pod: Resource) -> Resource:
    [only] = pod["containers"]
    found: Resource = only
    return found


def told(container: Resource, index: int) -> Any:
    """Return what TF_CONFIG is in the pod of this index."""
    [config] = [e for e in container["env"] if e["name"] == "TF_CONFIG"]
    return json.loads(config["value"].replace("$(INDEX)", str(index)))


def test_every_resource_keeps_to_the_schema(
    resources: dict[str, Resource],
) -> None:
    assert set(resources) == {"Service", "PersistentVolumeClaim", "Job"}
    for resource in resources.values():
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["spec", "completions"], "two"),
        (["spec", "complete"], 2),
        (["spec", "template", "spec", "containers"], []),
    ],
)
def test_the_schema_finds_what_is_wrong(
    path: list[str], value: Any, resources: dict[str, Resource]
) -> None:
    wrong = copy.deepcopy(resources["Job"])
    place = wrong
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    if value == []:
        del place[path[-1]]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


def test_every_worker_is_told_the_names_that_kubernetes_gives(
    resources: dict[str, Resource], pod: Resource, container: Resource
) -> None:
    job, service = resources["Job"], resources["Service"]
    name, count = job["metadata"]["name"], job["spec"]["completions"]
    [port] = service["spec"]["ports"]
    assert job["spec"]["completionMode"] == "Indexed"
    assert job["spec"]["parallelism"] == count
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["selector"] == {"job-name": name}
    assert pod["subdomain"] == service["metadata"]["name"]
    expected = [
        f"{name}-{index}.{pod['subdomain']}:{port['port']}"
        for index in range(count)
    ]
    for index in range(count):
        config = told(container, index)
        assert config["cluster"] == {"worker": expected}
        assert config["task"] == {"type": "worker", "index": index}
    assert container["ports"] == [{"containerPort": port["port"]}]


def test_index_is_named_before_it_is_used_and_read_from_the_job(
    container: Resource,
) -> None:
    first, second = container["env"]
    assert (first["name"], second["name"]) == ("INDEX", "TF_CONFIG")
    field = first["valueFrom"]["fieldRef"]["fieldPath"]
    annotation = "batch.kubernetes.io/job-completion-index"
    assert field == f"metadata.annotations['{annotation}']"


def test_program_and_folder_are_mounted_where_the_command_looks(
    resources: dict[str, Resource], pod: Resource, container: Resource
) -> None:
    python, program, folder, kill_at = container["command"]
    assert (python, kill_at) == ("python", "0")
    mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    assert program == f"{mounts['program']}/worker.py"
    assert folder == mounts["saved"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    claim = volumes["saved"]["persistentVolumeClaim"]["claimName"]
    stored = resources["PersistentVolumeClaim"]
    assert claim == stored["metadata"]["name"]
    assert stored["spec"]["accessModes"] == ["ReadWriteMany"]
    page = (REPOSITORY / "docs/many_devices.md").read_text("utf-8")
    config_map = volumes["program"]["configMap"]["name"]
    assert f"create configmap {config_map} --from-file=worker.py" in page


def test_what_stops_is_started_again(
    resources: dict[str, Resource], pod: Resource
) -> None:
    assert pod["restartPolicy"] == "OnFailure"
    assert resources["Job"]["spec"]["backoffLimit"] > 0
