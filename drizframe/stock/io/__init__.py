"""Files: reading exposures, writing products, editing inputs."""
