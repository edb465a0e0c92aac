package unary

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	snapshotv1 "example.com/streams/01-unary/snapshot/v1"
	"example.com/streams/internal/golden"
)

// The servers that many write first, and how they fail.

type naiveServer struct {
	snapshotv1.UnimplementedSnapshotServiceServer
	files fs.FS
}

func (s naiveServer) GetSnapshot(
	context.Context, *snapshotv1.SnapshotRequest,
) (*snapshotv1.Snapshot, error) {
	text, err := fs.ReadFile(s.files, "home/ann/app.log")
	if err != nil {
		return nil, err
	}
	return &snapshotv1.Snapshot{Lines: bytes.Split(text, []byte("\n"))}, nil
}

func TestNaive_PlainErrorIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, naive := Lines(t.Context(), dialServer(t, naiveServer{files: fstest.MapFS{}}), 3)
		_, fixed := Lines(t.Context(), dial(t, fstest.MapFS{}), 3)

		golden.File(t, "testdata/errors.txt", text(naive)+text(fixed))
	})
}

func TestNaive_ContextErrorHasACode(t *testing.T) {
	for want, err := range map[codes.Code]error{
		codes.Canceled: context.Canceled, codes.DeadlineExceeded: context.DeadlineExceeded, codes.Unknown: io.EOF,
	} {
		synctest.Test(t, func(t *testing.T) {
			_, got := Lines(t.Context(), dialServer(t, fakeServer{answer: func(context.Context) (*snapshotv1.Snapshot, error) {
				return nil, fmt.Errorf("log: %w", err)
			}}), 3)
			require.Equal(t, want.String(), status.Code(got).String(), "got %v", got)
		})
	}
}

func TestNaive_WholeLogExceeds4MiB(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := strings.Repeat(strings.Repeat("x", 99)+"\n", 50_000)
		_, naive := Lines(t.Context(), dialServer(t, naiveServer{
			files: fstest.MapFS{"home/ann/app.log": {Data: []byte(log)}},
		}), 3)
		golden.File(t, "testdata/large.txt", text(naive))

		lines, err := Lines(t.Context(), dial(t, file(log)), 3)
		require.NoError(t, err)
		require.Len(t, lines, 3)
	})
}

type naiveArchive struct {
	snapshotv1.UnimplementedSnapshotServiceServer
	read func(day int) [][]byte // takes a second
}

func (s naiveArchive) GetSnapshot(
	context.Context, *snapshotv1.SnapshotRequest,
) (*snapshotv1.Snapshot, error) {
	snapshot := new(snapshotv1.Snapshot)
	for day := range 60 {
		lines := s.read(day)
		snapshot.Lines = append(snapshot.Lines, lines...)
	}
	return snapshot, nil
}

type archive struct{ naiveArchive }

func (s archive) GetSnapshot(
	ctx context.Context, _ *snapshotv1.SnapshotRequest,
) (*snapshotv1.Snapshot, error) {
	snapshot := new(snapshotv1.Snapshot)
	for day := range 60 {
		if err := ctx.Err(); err != nil {
			return nil, toStatus(err)
		}
		lines := s.read(day)
		snapshot.Lines = append(snapshot.Lines, lines...)
	}
	return snapshot, nil
}

func TestNaive_HandlerReadsOnForNobody(t *testing.T) {
	var got strings.Builder
	days := 0
	slow := naiveArchive{read: func(int) [][]byte {
		time.Sleep(time.Second)
		days++
		return nil
	}}
	for _, tt := range []struct {
		name    string
		handler snapshotv1.SnapshotServiceServer
	}{{"naive", slow}, {"fixed", archive{slow}}} {
		synctest.Test(t, func(t *testing.T) {
			days = 0
			returned := make(chan time.Duration, 1)
			start := time.Now()
			client := dialServer(t, fakeServer{answer: func(ctx context.Context) (*snapshotv1.Snapshot, error) {
				defer func() { returned <- time.Since(start) }()
				return tt.handler.GetSnapshot(ctx, nil)
			}})
			ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
			defer cancel()

			_, err := Lines(ctx, client, 3)

			fmt.Fprintf(&got, "%s:\n%4v  the client has %v\n", tt.name, time.Since(start), status.Code(err))
			fmt.Fprintf(&got, "%4v  the handler returns; it has read %d days\n", <-returned, days)
		})
	}
	golden.File(t, "testdata/deadline.txt", got.String())
}
