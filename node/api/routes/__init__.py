"""Routes, one module a subject: parse, call one function, return."""
