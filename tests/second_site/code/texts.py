"""Texts that Markdown would take for its own."""

if __name__ == "__main__":
    # region texts
    cell = "a|b"
    name = "__init__"
    tag = "<b>&amp;</b>"
    print("```python\n$5 and $6\n```")
    print("| a | b |\n|---|---|\n<b>&amp;</b> [a](b) *c*")
    # endregion texts

    # region bar
    from time import sleep

    for part in range(0, 101, 50):
        print(f"\r{part:3} %", end="")
        sleep(0.01)
    print("\n\033[31mfertig\033[0m")
    # endregion bar
