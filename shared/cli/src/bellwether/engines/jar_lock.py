"""Writes `kafka-jars.lock` anew: resolves Kafka's coordinates with jgo, records size and SHA-256.

For maintainers, when Kafka's version changes: `python -m bellwether.engines.jar_lock`.
"""

import hashlib
import tempfile
from pathlib import Path

from jgo.env import EnvironmentBuilder, LinkStrategy
from jgo.maven import MavenContext

from bellwether.engines.jars import KAFKA_VERSION, LOCK

# kafka-clients is named because jgo's resolver otherwise takes an older one that Connect asks for.
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}",
    f"org.apache.kafka:kafka-clients:{KAFKA_VERSION}",
    "org.slf4j:slf4j-simple:1.7.36",
)


def write_lock() -> None:
    """Download everything into a temporary place and record it, sorted by coordinate."""
    with tempfile.TemporaryDirectory() as place:
        context = MavenContext(repo_cache=Path(place) / "repository")
        builder = EnvironmentBuilder(context, Path(place) / "jgo", LinkStrategy.HARD)
        environment = builder.from_endpoint("+".join(COORDINATES))
        resolved = environment.lockfile
        assert resolved is not None
        files = {path.name: path for path in environment.all_jars}
        lines = []
        for locked in resolved.dependencies:
            data = files[f"{locked.artifactId}-{locked.version}.jar"].read_bytes()
            coordinate = f"{locked.groupId}:{locked.artifactId}:{locked.version}"
            lines.append(f"{coordinate} {len(data)} {hashlib.sha256(data).hexdigest()}")
    LOCK.write_text("\n".join(sorted(lines)) + "\n")


if __name__ == "__main__":
    write_lock()
