"""The use cases of the choices of a person: one public function each."""
