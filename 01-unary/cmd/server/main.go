// Command server offers SnapshotService over TCP.
package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"

	unary "example.com/streams/01-unary"
	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/serve"
)

var file = flag.String("file", "", "the log `file` (default: a sample)")

func main() { os.Exit(serve.Main(run)) }

func run(ctx context.Context, s *serve.Server) error {
	snapshots := &unary.SnapshotServer{FS: unary.Sample, Name: unary.SampleName}
	if *file != "" {
		root, err := os.OpenRoot(filepath.Dir(*file))
		if err != nil {
			return err
		}
		defer root.Close()
		snapshots = &unary.SnapshotServer{FS: root.FS(), Name: filepath.Base(*file)}
	}
	snapshotv1.RegisterSnapshotServiceServer(s, snapshots)
	return s.Run(ctx)
}
