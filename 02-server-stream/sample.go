package serverstream

import (
	"embed"
	"io/fs"
)

//go:embed reports
var files embed.FS

// Samples returns the reports that the commands offer unless told
// otherwise.
func Samples() fs.FS {
	reports, err := fs.Sub(files, "reports")
	if err != nil {
		panic(err) // only for a name that is no path
	}
	return reports
}
