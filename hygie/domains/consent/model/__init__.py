"""Pure types and rules of the choices of a person: no input, no output."""
