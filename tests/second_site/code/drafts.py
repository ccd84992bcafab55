"""What no page shows that is published."""

if __name__ == "__main__":
    # region unfinished
    print("UNFERTIG")
    # endregion unfinished

    # region hidden
    print("GEHEIM")
    # endregion hidden
