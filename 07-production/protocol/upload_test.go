package protocol

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	jobsv1 "example.com/streams/07-production/protocol/jobs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// upload opens an upload and sends a chunk.
func upload(
	t *testing.T, c jobsv1.JobServiceClient, name string, offset int64, chunk string,
) grpc.ClientStreamingClient[jobsv1.UploadRequest, jobsv1.UploadStatus] {
	t.Helper()
	stream, err := c.Upload(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(&jobsv1.UploadRequest{Upload: name, Offset: offset, Chunk: []byte(chunk)}))
	return stream
}

func committed(t *testing.T, c jobsv1.JobServiceClient, name string) int64 {
	t.Helper()
	st, err := c.GetUpload(t.Context(), &jobsv1.GetUploadRequest{Upload: name})
	require.NoError(t, err)
	return st.GetCommitted()
}

// A source counts the bytes that are read from it, and calls then when they
// reach at.
type source struct {
	*bytes.Reader
	count, at int64
	then      func()
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	s.count += int64(n)
	if s.then != nil && s.count >= s.at {
		s.then()
		s.then = nil
	}
	return n, err
}

func TestUpload_ResumesFromTheCommittedOffset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root := newRoot(t)
		file := bytes.Repeat([]byte("0123456789"), ChunkSize)
		src := &source{Reader: bytes.NewReader(file), at: int64(len(file) / 2)}

		first := memservertest.Serve(t, register(&Server{Root: root}))
		src.then = func() { synctest.Wait(); first.Stop() }
		_, err := Upload(t.Context(), jobsv1.NewJobServiceClient(first.Dial(t)), "file", src)
		require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "got %v", err)

		second := dial(t, &Server{Root: root})
		before := committed(t, second, "file")
		require.Equal(t, int64(len(file)/2-ChunkSize), before)
		src.count = 0
		n, err := Upload(t.Context(), second, "file", src)
		require.NoError(t, err)
		require.Equal(t, int64(len(file)), n)
		require.Equal(t, n-before, src.count, "bytes that were sent again or for the first time")
		stored, err := root.ReadFile("file")
		require.NoError(t, err)
		require.True(t, bytes.Equal(file, stored))
	})
}

// The naive client continues after the last byte that Send has accepted.
func TestUpload_SentIsNotCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memservertest.Serve(t, register(&Server{Root: newRoot(t)}),
			grpc.ChainStreamInterceptor(late(time.Second)), grpc.StaticStreamWindowSize(64<<10))
		client := jobsv1.NewJobServiceClient(server.Dial(t))
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := client.Upload(ctx)
		require.NoError(t, err)
		const sent = 1 << 20 // more than the window of the server
		require.NoError(t, stream.Send(&jobsv1.UploadRequest{Upload: "file", Chunk: make([]byte, sent)}))
		synctest.Wait()
		cancel()
		time.Sleep(2 * time.Second) // until the handler has looked

		require.Zero(t, committed(t, client, "file"), "bytes")
		_, err = upload(t, client, "file", sent, "def").CloseAndRecv()
		requireStatus(t, err, codes.Aborted, "offset: must be 0, got 1048576")
	})
}

func TestUpload_EmptyFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root := newRoot(t)
		n, err := Upload(t.Context(), dial(t, &Server{Root: root}), "empty", strings.NewReader(""))
		require.NoError(t, err)
		require.Zero(t, n)
		_, err = root.Stat("empty")
		require.NoError(t, err)
	})
}

func TestUpload_RefusesNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, &Server{Root: newRoot(t)})
		for _, name := range []string{"", "..", "a/b", "A", strings.Repeat("a", 65)} {
			_, err := Upload(t.Context(), client, name, strings.NewReader("abc"))
			requireStatus(t, err, codes.InvalidArgument, `upload: must match ^[a-z0-9-]{1,64}$, got "`+name+`"`)
			_, err = upload(t, client, name, 0, "abc").CloseAndRecv()
			requireStatus(t, err, codes.InvalidArgument, `upload: must match ^[a-z0-9-]{1,64}$, got "`+name+`"`)
		}
		stream, err := client.Upload(t.Context())
		require.NoError(t, err)
		_, err = stream.CloseAndRecv() // no message at all
		requireStatus(t, err, codes.InvalidArgument, `upload: must match ^[a-z0-9-]{1,64}$, got ""`)
	})
}

func TestUpload_RefusesMoreThanMaxUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root := newRoot(t)
		file, err := root.Create("full")
		require.NoError(t, err)
		require.NoError(t, file.Truncate(MaxUpload-2)) // takes no space
		require.NoError(t, file.Close())
		_, err = upload(t, dial(t, &Server{Root: root}), "full", MaxUpload-2, "abc").CloseAndRecv()
		requireStatus(t, err, codes.ResourceExhausted, "upload: must have at most 1073741824 bytes, got 1073741825")
		_, err = upload(t, dial(t, &Server{Root: root}), "full", MaxUpload-2, "ab").CloseAndRecv()
		require.NoError(t, err)
		_, err = upload(t, dial(t, &Server{Root: root}), "large", 0, strings.Repeat("x", 4<<20)).CloseAndRecv()
		require.Equal(t, codes.ResourceExhausted.String(), status.Code(err).String(), "got %v", err)
		require.ErrorContains(t, err, "received message larger than max")
	})
}

func TestUpload_HidesThePathsOfTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root := newRoot(t)
		require.NoError(t, root.Mkdir("folder", 0o700))
		_, err := Upload(t.Context(), dial(t, &Server{Root: root}), "folder", strings.NewReader("abc"))
		requireStatus(t, err, codes.Internal, "upload: the server failed to store it")
	})
}
