"""The Kubernetes manifests, checked as text: probes, limits, users, disruption budgets; five services made alike.

No cluster reads them here. Where kubectl is installed, its kustomize puts them together.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

Verdict = Callable[[Iterable[object]], None]

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def manifests(root: Path) -> Sequence[Manifest]:
    folder = root / "deploy/k8s"
    paths = [path for path in sorted(folder.rglob("*.yaml")) if path.name != "kustomization.yaml"]
    return [made for path in paths for made in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def wrong(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Yield what a manifest misses."""
    budgets = {made["metadata"]["name"] for made in manifests if made["kind"] == "PodDisruptionBudget"}
    for made in manifests:
        name = f"{made['kind']} {made['metadata']['name']}"
        if made["kind"] in {"Deployment", "Job"}:
            pod = made["spec"]["template"]["spec"]
            yield from (f"{name}: {line}" for line in _of_pod(pod))
        if made["kind"] == "Deployment":
            yield from (f"{name}: {line}" for line in _of_deployment(made, budgets))


def _of_pod(pod: Manifest) -> Iterator[str]:
    if pod.get("securityContext", {}).get("runAsNonRoot") is not True:
        yield "a pod says runAsNonRoot: true"
    if pod.get("automountServiceAccountToken") is not False:
        yield "no process speaks to the cluster: automountServiceAccountToken: false"
    for container in pod["containers"]:
        resources = container.get("resources", {})
        if not {"cpu", "memory"} <= resources.get("requests", {}).keys() or "memory" not in resources.get("limits", {}):
            yield "a container requests cpu and memory, and has a limit of memory"
        locked = container.get("securityContext", {})
        if locked.get("allowPrivilegeEscalation") is not False or locked.get("readOnlyRootFilesystem") is not True:
            yield "a container gains no privileges and writes no file system"


def _of_deployment(made: Manifest, budgets: set[str]) -> Iterator[str]:
    pod = made["spec"]["template"]["spec"]
    [container] = pod["containers"]
    probes = {probe: container.get(f"{probe}Probe", {}) for probe in ("startup", "liveness", "readiness")}
    for probe, path in (("startup", "live"), ("liveness", "live"), ("readiness", "ready")):
        if probes[probe].get("httpGet", {}).get("path") != f"/health/{path}":
            yield f"{probe}Probe asks /health/{path}"
    if made["metadata"]["name"] not in budgets:
        yield "has a PodDisruptionBudget"
    if pod.get("terminationGracePeriodSeconds", 0) < 20:
        yield "a drain takes up to 15 s: terminationGracePeriodSeconds is 20 or more"
    if made["metadata"]["name"] == "api" and "preStop" not in container.get("lifecycle", {}):
        yield "an API waits in preStop until no endpoint names it"
    if made["spec"]["selector"]["matchLabels"].items() - made["spec"]["template"]["metadata"]["labels"].items():
        yield "the selector names labels of the pod"


def test_every_manifest_has_what_a_process_of_ours_needs(manifests: Sequence[Manifest], nothing: Verdict) -> None:
    nothing(wrong(manifests))


def test_the_five_services_differ_by_name_only(root: Path, services: Sequence[Path]) -> None:
    forms = set()
    for name in (service.name.removesuffix("-svc") for service in services):
        text = (root / f"deploy/k8s/services/{name}/kustomization.yaml").read_text(encoding="utf-8")
        forms.add(text.replace(name.upper(), "X").replace(name, "x"))
    assert len(forms) == 1, "the overlays in deploy/k8s/services must be one text with five names"


def test_kustomize_puts_five_apis_and_five_workers_together_where_it_is_installed(root: Path) -> None:
    kubectl = shutil.which("kubectl")
    if not kubectl:
        pytest.skip("kubectl is not installed")
    command = [kubectl, "kustomize", str(root / "deploy/k8s")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    made = list(yaml.safe_load_all(result.stdout))
    deployments = [each for each in made if each["kind"] == "Deployment"]
    assert {"bellwether"} == {each["metadata"]["namespace"] for each in made}
    assert len(deployments) == 10
    for each in deployments:
        service, _, kind = each["metadata"]["name"].partition("-")
        [container] = each["spec"]["template"]["spec"]["containers"]
        assert container["image"].startswith(f"bellwether/{service}-svc:")
        assert container["envFrom"][-1] == {"secretRef": {"name": f"{service}-{kind}-database"}}
        assert container.get("args") == (None if kind == "api" else [f"{service}_svc.worker"])


@pytest.mark.parametrize(
    ("path", "mend"),
    [
        (("spec", "template", "spec", "securityContext"), "runAsNonRoot"),
        (("spec", "template", "spec", "automountServiceAccountToken"), "no process speaks to the cluster"),
        (("spec", "template", "spec", "terminationGracePeriodSeconds"), "20 or more"),
        (("spec", "template", "spec", "containers", 0, "readinessProbe"), "readinessProbe asks /health/ready"),
        (("spec", "template", "spec", "containers", 0, "livenessProbe"), "livenessProbe asks /health/live"),
        (("spec", "template", "spec", "containers", 0, "resources", "limits"), "a limit of memory"),
        (("spec", "template", "spec", "containers", 0, "securityContext"), "gains no privileges"),
        (("spec", "template", "spec", "containers", 0, "lifecycle"), "waits in preStop"),
        (("spec", "template", "metadata", "labels", "app.kubernetes.io/component"), "names labels of the pod"),
    ],
)
def test_a_manifest_without_a_part_is_told_which(
    manifests: Sequence[Manifest], path: tuple[str | int, ...], mend: str
) -> None:
    broken = deepcopy(list(manifests))
    part: Any = next(made for made in broken if (made["kind"], made["metadata"]["name"]) == ("Deployment", "api"))
    for step in path[:-1]:
        part = part[step]
    del part[path[-1]]
    assert any(mend in line for line in wrong(broken))


def test_a_deployment_without_a_disruption_budget_is_named(manifests: Sequence[Manifest]) -> None:
    broken = [made for made in manifests if made["kind"] != "PodDisruptionBudget"]
    assert "Deployment api: has a PodDisruptionBudget" in set(wrong(broken))
