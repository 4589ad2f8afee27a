"""What every process tells about itself over HTTP: `/metrics`, `/live`, `/ready`."""
