"""How other versions do on this site, and how well its tests notice."""

# region setup
import json
from pathlib import Path

# endregion setup

if __name__ == "__main__":
    for name in ("versions.json", "claims.json", "mutants.json"):
        kept = Path(__file__).with_name("results") / name
        Path(name).write_bytes(kept.read_bytes())

    # region read
    results = json.loads(Path("versions.json").read_text())
    ran = [result for result in results.values() if "pages" in result]
    print("Python   TensorFlow   Keras    tests passed   pages the same")
    for result in ran:
        found = result["versions"]
        passed = result["passed"]
        tests = passed + len(result["failed"])
        pages = result["pages"].values()
        same = sum(told == [] for told in pages)
        print(
            f"{found['Python']:8} {found['TensorFlow']:12} "
            f"{found['Keras']:8} {passed:4} of {tests:<7} "
            f"{same:2} of {len(pages)}"
        )
    # endregion read

    # region named
    told: list[str] = []
    for result in ran:
        found, failed = result["versions"], result["failed"]
        of_code = [name for name in failed if "/claims/" not in name]
        new = [name for name in of_code if name not in told]
        told += new
        if new:
            print(f"TensorFlow {found['TensorFlow']}, Keras {found['Keras']}")
        for name in new:
            file, _, test = name.partition("::test_")
            print(f"  {Path(file).stem[5:]}: {test.replace('_', ' ')}")
    # endregion named

    # region traps
    tame = {trap for result in ran for trap in result["tamed"]}
    print("traps that do not spring everywhere:", sorted(tame) or "none")
    # endregion traps

    # region left_out
    for name, result in results.items():
        if "pages" not in result:
            print(name)
    # endregion left_out

    # region claims
    claims = json.loads(Path("claims.json").read_text())
    total = {
        kind: sum(counts[kind] for counts in claims.values())
        for kind in ("sentences", "facts", "held", "shown", "not testable")
    }
    for kind, count in total.items():
        print(f"{kind:12} {count:5}")
    # endregion claims

    # region untrue
    tried = [result for result in ran if "untrue" in result]
    print(f"sentences tried with {len(tried)} of {len(ran)} sets")
    for result in tried:
        found, said = result["versions"], result["untrue"].values()
        print(
            f"TensorFlow {found['TensorFlow']}, Keras {found['Keras']}: "
            f"{sum(map(len, said))} sentences not true, on {len(said)} pages"
        )
    # endregion untrue

    # region mutants
    mutants = json.loads(Path("mutants.json").read_text())
    for folder, result in mutants.items():
        counted = result["tried"] - result["equivalent"]
        killed = result["killed"]
        print(
            f"{folder:8}  {killed:3} of {counted:3} changes killed, "
            f"{100 * killed / counted:.1f} %"
        )
    # endregion mutants

    # region by_keras
    by_keras: dict[str, int] = {}
    for result in ran:
        keras = result["versions"]["Keras"]
        failed = len(result["failed"])
        by_keras[keras] = max(failed, by_keras.get(keras, 0))
    for keras, failed in by_keras.items():
        print(f"Keras {keras}: at most {failed} tests failed")
    # endregion by_keras

    # region pages_that_differ
    differ = {
        page
        for result in ran
        for page, told in result["pages"].items()
        if told
    }
    print("\n".join(sorted(differ)))
    # endregion pages_that_differ
