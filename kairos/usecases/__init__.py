"""What one can ask of Kairos: values in, values out. Commands, pages and the API call the same functions.

One file each, in the same groups as the commands.

- Nothing here prints, asks, or ends the process. Time is an argument.
- What cannot be done is a KairosError: one of `errors`, or of the adapter that could not.
- How far it is goes to a port: `progress`.
- A use case opens the stores whose addresses it is given, and closes them. What takes an open port is a part of it.
- A result is a struct, a dataclass or a list of them, which msgspec writes as JSON (`tests/unit/usecases` checks it).
"""
