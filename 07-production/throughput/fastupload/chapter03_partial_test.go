// Code generated from 03-client-stream/partial_test.go; DO NOT EDIT.

package fastupload

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// Both uploads begin before one of them has ended, so the name is free for
// both.
func TestUpload_FirstCompleteIsStoredWithoutReplace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		client := dial(t, s)
		early := open(t, t.Context(), client, info("f"), chunk("early"))
		late := open(t, t.Context(), client, info("f"), chunk("late"))
		synctest.Wait()
		require.Len(t, names(t, s), 2, "two partial files")

		_, err := late.CloseAndRecv()
		require.NoError(t, err)
		_, err = early.CloseAndRecv()
		requireCode(t, codes.AlreadyExists, err)
		require.Equal(t, `name: must be new unless replace is set, got "f"`, status.Convert(err).Message())
		require.Equal(t, []string{"f"}, names(t, s))
		require.Equal(t, "late", read(t, s, "f"))
	})
}

func TestUpload_LastCompleteStaysWithReplace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		client := dial(t, s)
		early := open(t, t.Context(), client, replacing("f"), chunk("early"))
		late := open(t, t.Context(), client, replacing("f"), chunk("late"))
		synctest.Wait()

		_, err := late.CloseAndRecv()
		require.NoError(t, err)
		require.Equal(t, "late", read(t, s, "f"))
		_, err = early.CloseAndRecv()
		require.NoError(t, err)
		require.Equal(t, "early", read(t, s, "f"))
		require.Equal(t, []string{"f"}, names(t, s))
	})
}

// This test runs outside a bubble, so nothing orders the uploads.
func TestUpload_ConcurrentUploadsStoreOneWhole(t *testing.T) {
	const uploads = 8
	for _, replace := range []bool{false, true} {
		t.Run(fmt.Sprintf("replace=%t", replace), func(t *testing.T) {
			s := newServer(t)
			client := dial(t, s)
			var wg sync.WaitGroup
			errs := make([]error, uploads)
			for i := range uploads {
				wg.Go(func() {
					whole := bytes.Repeat([]byte{'a' + byte(i)}, 2*ChunkSize)
					info := &uploadv1.FileInfo{Name: "f", Replace: replace}
					_, errs[i] = Upload(t.Context(), client, info, bytes.NewReader(whole), nil)
				})
			}
			wg.Wait()
			stored := read(t, s, "f")
			winner := int(stored[0] - 'a')
			require.Len(t, stored, 2*ChunkSize)
			require.Equal(t, len(stored), strings.Count(stored, stored[:1]), "bytes of one upload")
			require.NoError(t, errs[winner])
			require.Equal(t, []string{"f"}, names(t, s))
			for i, err := range errs {
				if !replace && i != winner {
					requireCode(t, codes.AlreadyExists, err)
				} else {
					require.NoError(t, err)
				}
			}
		})
	}
}

func TestUpload_ReaderNeverSeesHalfAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		write(t, s, "old", "old")
		client := dial(t, s)
		first := open(t, t.Context(), client, info("new"), chunk("half"))
		second := open(t, t.Context(), client, replacing("old"), chunk("half"))
		time.Sleep(DefaultIdleTimeout - 1)
		synctest.Wait()

		_, err := s.Root.Stat("new")
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.Equal(t, "old", read(t, s, "old"))

		for stream, name := range map[clientStream]string{first: "new", second: "old"} {
			require.NoError(t, stream.Send(chunk(" and half")))
			_, err := stream.CloseAndRecv()
			require.NoError(t, err)
			require.Equal(t, "half and half", read(t, s, name))
		}
		require.Equal(t, []string{"new", "old"}, names(t, s))
	})
}

func TestUpload_OpenFileKeepsBytesWhenReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		write(t, s, "f", "old")
		f, err := s.Root.Open("f")
		require.NoError(t, err)
		defer f.Close()
		_, err = open(t, t.Context(), dial(t, s), replacing("f"), chunk("new")).CloseAndRecv()
		require.NoError(t, err)
		old, err := io.ReadAll(f)
		require.NoError(t, err)
		require.Equal(t, "old", string(old))
		require.Equal(t, "new", read(t, s, "f"))
	})
}
