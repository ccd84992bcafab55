"""How fast this site is built, beside other tools that run code."""

# region setup
import json
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt

# endregion setup

if __name__ == "__main__":
    for name in ("build_speed.json", "serve_speed.json"):
        kept = Path(__file__).with_name("results") / name
        Path(name).write_bytes(kept.read_bytes())

    # region read
    results = json.loads(Path("build_speed.json").read_text())
    one_page = results["one_page"]
    edits = ["cold", "nothing", "prose", "snippet"]
    print("builder".ljust(16), *(edit.rjust(8) for edit in edits))
    for tool, builds in one_page.items():
        ratios = [
            builds[edit]["cpu"] / one_page["ours"][edit]["cpu"]
            for edit in edits
        ]
        print(tool.ljust(16), *(f"{ratio:8.2f}" for ratio in ratios))
    # endregion read

    # region plot
    for place, (tool, builds) in enumerate(one_page.items()):
        seconds = [builds[edit]["cpu"] for edit in edits]
        plt.plot(seconds, range(4), "o*sDv^"[place], label=tool)
    plt.yticks(range(4), edits)
    plt.gca().invert_yaxis()
    plt.xlabel("seconds of processor time")
    plt.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
    plt.show()
    # endregion plot

    # region ten_pages
    ours = results["growth"]["10"]
    print("builder".ljust(16), "processor", "   clock")
    for tool, build in results["ten_pages"].items():
        ratios = [build[kind] / ours[kind] for kind in ("cpu", "wall")]
        print(tool.ljust(16), *(f"{ratio:9.2f}" for ratio in ratios))
    # endregion ten_pages

    # region growth
    grown = [(int(n), t["cpu"]) for n, t in results["growth"].items()]
    for (few, less), (many, more) in pairwise(grown):
        a_page = (more - less) / (many - few)
        print(f"from {few} to {many} pages: {a_page:.2f} s for each more")
    # endregion growth

    # region served
    served = json.loads(Path("serve_speed.json").read_text())
    for page, seconds in served["seconds"].items():
        print(f"{page:21} {seconds:.2f} s")
    # endregion served

    # region bars
    fastest = min(build["wall"] for build in results["ten_pages"].values())
    faster = fastest / ours["wall"]
    print("met   " if faster >= 1.6 else "missed", end=" ")
    print(f"ten pages, cold: {faster:.2f} times as fast, bar 1.6")
    for edit in ("nothing", "prose"):
        bare = one_page["bare"][edit]["cpu"]
        beyond = one_page["ours"][edit]["cpu"] - bare
        print("met   " if beyond <= 0.15 else "missed", end=" ")
        print(f"{edit} changed: {beyond:.2f} s beyond bare, bar 0.15")
    # endregion bars

    # region nothing_saved
    for tool, builds in one_page.items():
        kept = 1 - builds["nothing"]["cpu"] / builds["cold"]["cpu"]
        print(f"{tool:16} spares {kept:4.0%} when nothing changed")
    # endregion nothing_saved

    # region wall
    for tool, builds in one_page.items():
        waited = builds["prose"]["wall"] / one_page["ours"]["prose"]["wall"]
        print(f"{tool:16} {waited:5.2f} times as long to wait")
    # endregion wall
