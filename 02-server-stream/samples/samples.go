// Package samples holds the reports that the commands of this chapter serve
// by default.
package samples

import "embed"

// Reports holds one file per report.
//
//go:embed *.csv
var Reports embed.FS
