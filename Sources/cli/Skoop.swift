import ArgumentParser
@main struct Skoop: ParsableCommand {}
