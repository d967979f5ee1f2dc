"""Which snippets are refused: secrets, addresses, boilerplate; and that ordinary code is not."""

from __future__ import annotations

import pytest

from hf_oss_instruct.curation.snippet_filters import boilerplate, secret


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("AWS_KEY = 'AKIA" + "QYLPMN5HFIQR7XYA'", "secret"),
        ("token = 'ghp_" + "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'", "secret"),
        ("HF = 'hf_" + "AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh'", "secret"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "secret"),
        ("db = 'postgres://admin:" + "s3cr3tpw99@db.host/x'", "secret"),
        ("password = " + '"Tr0ub4dor&3xyz"', "secret"),
        ("# written by jane.doe@cs.uni-bonn.de", "email_address"),
        ("mail('user@example.com')", None),
        ("git clone git@github.com:a/b.git", None),
        ("y = self.weights@x.T + b@c.real()", None),
        ("def mean(values):\n    return sum(values) / len(values)", None),
        ("sha = '2fd4e1c67a2d28fced849ee1bb76e7391b93eb12'", None),
        ("password = getpass()", None),
    ],
)
def test_secrets_and_addresses_of_people_are_refused(text: str, reason: str | None) -> None:
    assert secret(f"x = 1\n{text}\ny = 2", "python") == reason


@pytest.mark.parametrize(
    ("lang", "text", "reason"),
    [
        ("python", "# Copyright 2024 A. U. Thor\n# All rights reserved.", "license_header"),
        ("c", " * WITHOUT ANY WARRANTY; without even\n * the implied warranty of MERCHANTABILITY", "license_header"),
        ("python", "# Copyright 2024\n\ndef f(x):\n    return x", None),
        ("python", "import os\nfrom a import (\n    b,\n    c as d,\n)", "imports_only"),
        ("c", '#include <stdio.h>\n\n#include "a.h"', "imports_only"),
        ("javascript", "const fs = require('fs')\nimport { a,\n  b } from './c'", "imports_only"),
        ("rust", "use std::io;\npub mod a;", "imports_only"),
        ("python", "import os\n\nprint(os.getcwd())", None),
        ("c", "  0x01, 0x02, 0x03,\n  0x04, 0x05, 0x06,\n  0x07, 0x08, 0x09,\n};", "data_table"),
        ("python", "    ('a', 1),\n    ('b', None),\n    ('c', 3.5e-3),\n]", "data_table"),
        ("python", "x = 1\ny = f(2)\nreturn x + y", None),
        ("python", "# what follows\n# is explained here", None),
        ("c", "#define MAX 3\nint f(void);", None),
    ],
)
def test_what_is_nothing_but_boilerplate_is_refused(lang: str, text: str, reason: str | None) -> None:
    assert boilerplate(text, lang) == reason
