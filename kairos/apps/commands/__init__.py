"""The commands of `kairos`, one module each; `kairos.apps.cli.COMMANDS` lists them."""
