"""Words numbered in the order of a set, and in alphabetical order."""

if __name__ == "__main__":
    # region words
    words = {"loss", "model", "train", "epoch"}
    print("set:   ", {word: number for number, word in enumerate(words)})
    ordered = sorted(words)
    print("sorted:", {word: number for number, word in enumerate(ordered)})
    # endregion words
