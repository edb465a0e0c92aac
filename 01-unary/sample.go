package unary

import "embed"

// Sample holds the log that the commands use unless told otherwise.
//
//go:embed sample.log
var Sample embed.FS

// SampleName is the name of the log in [Sample].
const SampleName = "sample.log"
