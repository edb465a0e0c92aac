//go:build race

package pitfalltest

const raceEnabled = true
