"""`python -m kairos` is `kairos`."""

from kairos.apps.cli import main

main()
