"""Pages whose blocks stand in containers of every kind."""

import re
from textwrap import indent

# %1, %2 and %3 stand for fences, at the indentation of the mark.
PAGES = {
    "notes": """
        !!! note "In a *note*"
            Before.

            %1
            After with {{ x }}.

        ??? tip "Folded"

            %2
            More.

        ???+ tip

            !!! danger "Inner {{ x }}"

                Deep.

                %3
                Deep end.

            Back out.
        """,
    "lists": """
        1. A list.

            %1
        2. Second, after it.

            - Inner.

                %2
                In the inner.

            - Another.

            After the inner.

        - [x] A task {{ x }}.
        - [ ] Another.

            %3
        """,
    "quotes": """
        > Quote.
        >
        > %1
        > End of quote.
        >
        > > - Nested.
        > >
        > >     %2
        > > End of both.

        %3
        """,
    "tabs": """
        === "Tab *one*"

            %1
            === "Inner one"

                Deep {{ x }}.

                %2
            === "Inner two"

                - Only text.

        === "Tab two"

            %3
        End.
        """,
    "generic_blocks": """
        /// note | In a block
        Text.

        %1
        After {{ x }}.
        ///

        /// details | Folded {{ x }}

        %2
        ///

        /// tab | One

        %3
        ///

        /// tab | Two
        Other.
        ///

        End.
        """,
    "raw_html": """
        <div markdown="1" class="a">

        Text **bold**.

        %1
        After {{ x }}.

        </div>

        <details markdown="1">
        <summary>Folded {{ x }}</summary>

        %2
        </details>

        <div>
        %3
        </div>

        The end.
        """,
    "footnotes": """
        Text[^1].

        %1
        HTML is read.

        [^1]: A footnote {{ x }}.

            %2
        *[HTML]: A language.
        """,
    "definitions": """
        Term

        :   Definition.

            %1
            After {{ x }}.

        :   A second definition.

        Other

        :   Another.
        """,
    "headers_of_fences": """
        ~~~Python run="snippets/a.py:one"
        ~~~

        `````{.python run="snippets/a.py:two" hl_lines="1"}
        `````

        ``` { .py run='snippets/a.py:three' }
        ```
        """,
    "inline_marks": """
        %1
        ++ctrl+c++ ==mark== ^^ins^^ H~2~O ~~del~~ (c) --> {++new++} "so" --
        https://example.org/a_b_c **bold*italic*** and a_b_c, `code`, 2 * 3.
        """,
    "fences_in_fences": """
        ````markdown
        ```python run="snippets/a.py:three"
        ```

        {{ not }}
        ````

        %1
        `` ```python run="x" ``

            indented code
        """,
    "held": """
        %1
        > | a | b |
        > | --- | :-: |
        > | {{ x }} | `y` |
        >
        > Term {{ x }}
        >
        > :   Definition with $5.

        1. Item.

            | a | b |
            | --- | --- |
            | {{ x }} | y |

            %2

            Term

            :   Definition {{ x }}.

            %3
        - [x] A task.

            Term

            :   Definition.

        Term

        :   === "In a tab"

                Text {{ x }}.

            === "In another"

                | a | b |
                | --- | --- |
                | {{ x }} | y |
        """,
    "without_a_blank_line": """
        %1
        | a | b |
        | --- | :-: |
        | {{ x }} | `y` |
        %2

        > | a | b |
        > | --- | :-: |
        > | {{ x }} | `y` |
        > %3

        ```text
        raw
        ```
        Term {{ x }}

        :   Definition.

        ```` a ``` b ```` and `one
        # two`.
        """,
    "ends_without_tags": """
        %1
        <ul><li>one {{ x }}<li>two<ol><li>in<li>more</ol></ul>

        <table><thead><tr><th>a<th>b<tbody><tr><td>{{ x }}<td>y</table>

        <dl><dt>Term<dd>Definition {{ x }}<dd>Another</dl>

        <p>one {{ x }}<p>two<div>three</div>

        %2
        %3
        """,
    "starts_of_lines": """
        One<br> 1. two <br>- three <br><!-- c --> > four

        <!-- c --> + five

        <h2>Raw</h2>
        - six

        %1
        &nbsp; 7. seven

        &nbsp;= eight

        %2
        %3
        """,
    "twins_one": "%1\nThe same {{ x }}.\n",
    "twins_two": "%1\nThe same {{ x }}.\n",
}
SECTIONS = {"1": "one", "2": "two", "3": "three"}
SAID = {"one": "one", "two": "two 0\ntwo 1", "three": "three"}


def page(name: str, text: str) -> str:
    """Return the page, its marks replaced by fences."""

    def fence(mark: re.Match[str]) -> str:
        lines = f'```python run="snippets/a.py:{SECTIONS[mark[2]]}"\n```\n'
        return indent(lines, mark[1], lambda line: True)

    text = re.sub(r"(?m)^        ", "", text)
    return f"# {name}\n\n" + re.sub(r"(?m)^([ >]*)%(\d)$", fence, text)
