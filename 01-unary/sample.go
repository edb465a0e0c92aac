package unary

import "embed"

// Sample holds the file that cmd/server serves by default.
//
//go:embed sample.log
var Sample embed.FS

// SampleName is the name of the file in [Sample].
const SampleName = "sample.log"
