package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"example.com/streams/07-production/protocol"
	jobsv1 "example.com/streams/07-production/protocol/jobs/v1"
	"example.com/streams/internal/cli"
)

// version shows what a client of version 1 sees.
func version(ctx context.Context) error {
	client, stop, err := serve(&protocol.Server{Run: new(job).run})
	if err != nil {
		return err
	}
	defer stop()
	stream, err := client.Work(ctx)
	if err != nil {
		return err
	}
	hello := &jobsv1.Hello{Versions: []uint32{1}}
	if err := stream.Send(&jobsv1.WorkRequest{Event: &jobsv1.WorkRequest_Hello{Hello: hello}}); err != nil {
		return err
	}
	_, err = stream.Recv()
	fmt.Printf("   %s\n", cli.Describe(err))
	return nil
}

const size = 10 * protocol.ChunkSize

// upload breaks an upload when the server has written a part of it.
func upload(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "uploads")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	client, stop, err := serve(&protocol.Server{Root: root})
	if err != nil {
		return err
	}
	defer stop()

	src := &breaking{SectionReader: io.NewSectionReader(strings.NewReader(strings.Repeat("x", size)), 0, size)}
	src.pause = func() error { return waitCommitted(ctx, client, size/2) }
	_, err = protocol.Upload(ctx, client, "photo", src)
	fmt.Printf("   %s after %d bytes\n", cli.Describe(err), src.read)

	src.pause, src.read = nil, 0
	n, err := protocol.Upload(ctx, client, "photo", src)
	if err != nil {
		return err
	}
	fmt.Printf("   committed %d bytes; the second call sent %d\n", n, src.read)
	return nil
}

// waitCommitted waits until the server has so many bytes.
func waitCommitted(ctx context.Context, client jobsv1.JobServiceClient, want int64) error {
	for {
		st, err := client.GetUpload(ctx, &jobsv1.GetUploadRequest{Upload: "photo"})
		switch {
		case err != nil:
			return err
		case st.GetCommitted() == want:
			return errors.New("the laptop goes to sleep")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// breaking fails half way, if pause is set.
type breaking struct {
	*io.SectionReader
	read  int
	pause func() error
}

func (b *breaking) Read(p []byte) (int, error) {
	if b.pause != nil && b.read == size/2 {
		return 0, b.pause()
	}
	n, err := b.SectionReader.Read(p)
	b.read += n
	return n, err
}
