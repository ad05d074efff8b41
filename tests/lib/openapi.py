"""Holds answers of lpalias-portal against docs/openapi.json.

    description = Description()
    description.problem("GET", "/api/session", answer) -> None, or a sentence what is wrong

An answer to a path that is described has to be described: its method, status, type and every field.
"""

import json
import os
import re

import jsonschema

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "openapi.json")

# What the server may say whatever is asked: no such method, too long, another site's name.
ALWAYS = {405, 413, 421}


class Description:
    """The description of the API."""

    def __init__(self, file=FILE):
        with open(file, encoding="utf-8") as stream:
            self.document = json.load(stream)
        self.resolver = jsonschema.RefResolver("", self.document)
        self.patterns = [(re.compile(re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(path)) + r"\Z"),
                          path) for path in self.document["paths"]]

    def operations(self):
        """(METHOD, path) of all that is described."""
        return {(method.upper(), path) for path, item in self.document["paths"].items()
                for method in item}

    def path(self, sent):
        """The described path that was asked for, or None."""
        sent = sent.partition("?")[0]
        return next((path for pattern, path in self.patterns if pattern.match(sent)), None)

    def _schema_problem(self, schema, answer, has_body):
        if schema is None:
            return f"has a body: {answer.body[:80]!r}" if answer.body else None
        if answer.headers.get("content-type") != "application/json":
            return f"is of type {answer.headers.get('content-type')}"
        if not has_body:
            return None
        try:
            value = json.loads(answer.body)
        except ValueError as error:
            return f"is no JSON: {error}"
        validator = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
        errors = sorted(validator.iter_errors(value), key=lambda error: list(error.absolute_path))
        if not errors:
            return None
        return f"{'/'.join(map(str, errors[0].absolute_path))}: {errors[0].message}"

    def problem(self, method, sent, answer):
        """What is wrong with the answer, or None; also None for a path that is not described."""
        path = self.path(sent)
        if path is None:
            return None
        operation = self.document["paths"][path].get("get" if method == "HEAD" else method.lower())
        responses = (operation or {}).get("responses", {})
        if answer.status in ALWAYS and str(answer.status) not in responses:
            return None
        where = f"{method} {path} {answer.status}"
        if str(answer.status) not in responses:
            return f"{where} is not described"
        content = responses[str(answer.status)].get("content", {})
        schema = content.get("application/json", {}).get("schema")
        problem = self._schema_problem(schema, answer, method != "HEAD")
        return problem and f"{where} {problem}"
