package clientstream

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

func TestAFileArrivesByteForByte(t *testing.T) {
	for _, size := range []int64{0, 1, ChunkSize - 1, ChunkSize, ChunkSize + 1, 3*ChunkSize + 7} {
		for _, info := range []*uploadv1.FileInfo{
			{Name: "size is declared", Size: &size},
			{Name: "size is not declared"},
		} {
			t.Run(fmt.Sprintf("%d bytes, %s", size, info.GetName()), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t)
					receipt, err := Upload(t.Context(), dial(t, s), info, generated(size), nil)
					require.NoError(t, err)
					want := sum(t, generated(size))
					require.Equal(t, want, sum(t, strings.NewReader(read(t, s, info.GetName()))))
					require.Equal(t, want, receipt.GetSha256())
					require.Equal(t, size, receipt.GetSize())
					require.Equal(t, []string{info.GetName()}, names(t, s))
				})
			})
		}
	}
}

func TestAChunkIsStoredBeforeTheNextIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		var stored []int64
		r := paced{generated(3 * ChunkSize), func() {
			synctest.Wait()
			stored = append(stored, partialSize(t, s))
		}}
		_, err := Upload(t.Context(), dial(t, s), named("f"), r, nil)
		require.NoError(t, err)
		require.Equal(t, []int64{0, ChunkSize, 2 * ChunkSize, 3 * ChunkSize}, stored)
	})
}

// partialSize returns how much there is of the only, and hidden, file.
func partialSize(t testing.TB, s *UploadServer) int64 {
	t.Helper()
	all := names(t, s)
	require.Len(t, all, 1)
	require.True(t, strings.HasPrefix(all[0], ".upload-"), "a partial file is called %s", all[0])
	stat, err := s.Root.Stat(all[0])
	require.NoError(t, err)
	return stat.Size()
}

func TestProgressCountsTheBytesThatGRPCHasTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []int64
		_, err := Upload(t.Context(), dial(t, newServer(t)), named("f"), generated(ChunkSize+1),
			func(sent int64) { calls = append(calls, sent) })
		require.NoError(t, err)
		require.Equal(t, []int64{0, ChunkSize, ChunkSize + 1}, calls)
	})
}

func TestAReaderOfSingleBytesStillFillsTheChunks(t *testing.T) {
	var chunks []string
	for req, err := range requests(named("f"), iotest.OneByteReader(strings.NewReader("seven b")), 3) {
		require.NoError(t, err)
		chunks = append(chunks, string(req.GetChunk()))
	}
	require.Equal(t, []string{"", "sev", "en ", "b"}, chunks, "the info, then the chunks")
}

// The read fails in the middle of the second chunk.
func TestAFileThatCannotBeReadIsNotTakenForAShortOne(t *testing.T) {
	for name, broken := range map[string]error{
		"a bad disk":        errors.New("input/output error"),
		"a broken download": io.ErrUnexpectedEOF, // as io.ReadFull says at the end of a short file
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				r := io.MultiReader(generated(ChunkSize+5), iotest.ErrReader(broken))
				_, err := Upload(t.Context(), dial(t, s), named("f"), r, nil)
				require.Equal(t, broken, err)
				synctest.Wait()
				require.Empty(t, names(t, s))
			})
		})
	}
}

func TestAReceiptOfOtherBytesIsDataLoss(t *testing.T) {
	for name, sum := range map[string][]byte{
		"one byte is wrong": sum(t, strings.NewReader("xxy")),
		"no checksum":       nil,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := answering{answer: func(stream serverStream) error {
					for {
						if _, err := stream.Recv(); err != nil {
							return stream.SendAndClose(&uploadv1.UploadReceipt{Sha256: sum})
						}
					}
				}}
				receipt, err := Upload(t.Context(), dial(t, s), named("f"), strings.NewReader("xxx"), nil)
				require.Equal(t, codes.DataLoss, status.Code(err), "got %v", err)
				require.ErrorContains(t, err, fmt.Sprintf("sha256: sent %x, stored %x", sha256.Sum256([]byte("xxx")), sum))
				require.Nil(t, receipt)
			})
		})
	}
}

// The receipt is right for what the server has seen: nothing.
func TestAReceiptBeforeTheEndOfTheFileIsDataLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := answering{answer: func(stream serverStream) error {
			return stream.SendAndClose(&uploadv1.UploadReceipt{Sha256: sum(t, strings.NewReader(""))})
		}}
		r := paced{strings.NewReader("xxx"), synctest.Wait}
		_, err := Upload(t.Context(), dial(t, s), named("f"), r, nil)
		require.Equal(t, codes.DataLoss, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "the receipt came before the end of the file")
	})
}

// An answering server does what its test says.
type answering struct {
	uploadv1.UnimplementedUploadServiceServer
	answer func(serverStream) error
}

func (a answering) Upload(stream serverStream) error { return a.answer(stream) }
