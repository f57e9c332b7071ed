"""The use cases of the rights: one public function each."""
