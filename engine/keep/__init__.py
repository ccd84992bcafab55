"""Keep what programs did, for as long as it is true."""
