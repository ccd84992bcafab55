"""A reader's own file, in two pieces."""

if __name__ == "__main__":
    # region read
    import sys

    word = sys.argv[1]
    # endregion read

    # region say
    print(word.upper())
    # endregion say
