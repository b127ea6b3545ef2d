# SPDX-License-Identifier: Apache-2.0
"""As much of Helm's templates as deploy/kubernetes/chart uses:
{{ .Values.a.b }}, {{ .Release.Namespace }}, {{ toJson .Values.a }} and
{{- if .Values.a }} … {{- end }} on lines of their own."""
import json
import pathlib
import re

import yaml

CONDITION = re.compile(r"^\{\{- (?:if (\S+)|(end)) \}\}$")
VALUE = re.compile(r"\{\{ (toJson )?(\S+) \}\}")


def look_up(path, scope):
    for name in path.lstrip(".").split("."):
        scope = scope[name]
    return scope


def text_of(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def render_text(text, scope):
    lines, shown = [], [True]
    for line in text.splitlines():
        condition = CONDITION.match(line)
        if condition and condition[1]:
            shown.append(shown[-1] and bool(look_up(condition[1], scope)))
        elif condition:
            shown.pop()
        elif shown[-1]:
            lines.append(VALUE.sub(
                lambda m: json.dumps(look_up(m[2], scope)) if m[1] else
                text_of(look_up(m[2], scope)), line))
    assert shown == [True], "if without end"
    result = "\n".join(lines) + "\n"
    assert "{{" not in result, re.search(r"\{\{.*", result)[0]
    return result


def render(chart, namespace="kube-system", **values):
    """The chart's manifests as one text; values replace its own."""
    chart = pathlib.Path(chart)
    own = yaml.safe_load((chart / "values.yaml").read_text())
    for name, value in values.items():
        own[name] = {**own[name], **value} if isinstance(value, dict) \
            else value
    scope = {"Values": own, "Release": {"Namespace": namespace}}
    return "---\n".join(
        render_text(path.read_text(), scope)
        for path in sorted((chart / "templates").glob("*.yaml")))
