// Code generated from 03-client-stream/client_test.go; DO NOT EDIT.

package fastupload

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestUpload_StoresEveryByte(t *testing.T) {
	for _, size := range []int64{0, 1, ChunkSize - 1, ChunkSize, ChunkSize + 1, 3*ChunkSize + 7} {
		for _, info := range []*uploadv1.FileInfo{
			{Name: "size is declared", Size: &size},
			{Name: "size is not declared"},
		} {
			t.Run(fmt.Sprintf("%d bytes, %s", size, info.GetName()), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t)
					s.MaxBytes = size
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

func TestUpload_StoresChunkWithoutTheNext(t *testing.T) {
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

func TestUpload_ProgressCountsBytesThatGRPCHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []int64
		start := time.Now()
		_, err := Upload(t.Context(), dial(t, newServer(t)), named("f"), generated(256<<10+1),
			func(sent int64) {
				calls = append(calls, sent)
				time.Sleep(time.Second)
			})
		require.NoError(t, err)
		require.Equal(t, []int64{0, 256 << 10, 256<<10 + 1}, calls)
		require.Equal(t, 3*time.Second, time.Since(start), "Upload waits while progress runs")
	})
}

// A watchedFile counts the calls of its methods.
type watchedFile struct {
	io.Reader
	reads, closes int
}

func (f *watchedFile) Read(p []byte) (int, error) {
	f.reads++
	return f.Reader.Read(p)
}

func (f *watchedFile) Close() error {
	f.closes++
	return nil
}

func TestUpload_LeavesTheFileToTheCaller(t *testing.T) {
	for name, r := range map[string]io.Reader{"stored": generated(1), "refused": endless{}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				s.MaxBytes = 1
				file := &watchedFile{Reader: r}
				_, _ = Upload(t.Context(), dial(t, s), named("f"), file, nil)
				reads := file.reads
				time.Sleep(time.Hour)
				require.Equal(t, reads, file.reads, "Reads after Upload has returned")
				require.Zero(t, file.closes)
			})
		})
	}
}

// The Read fails in the middle of the second chunk.
func TestUpload_FailedReadIsNotEndOfFile(t *testing.T) {
	for name, broken := range map[string]error{
		"a bad disk":        errors.New("input/output error"),
		"a broken download": io.ErrUnexpectedEOF, // io.ReadFull also returns it for a short file
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				r := io.MultiReader(generated(ChunkSize+5), iotest.ErrReader(broken))
				_, err := Upload(t.Context(), dial(t, s), named("f"), r, nil)
				require.ErrorIs(t, err, broken, "Upload must return the error of Read")
				synctest.Wait()
				require.Empty(t, names(t, s))
			})
		})
	}
}

func TestUpload_WrongChecksumIsDataLoss(t *testing.T) {
	for name, sum := range map[string][]byte{
		"one byte is wrong": sum(t, strings.NewReader("xxy")),
		"no checksum":       nil,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stub{OnUpload: func(stream serverStream) error {
					for {
						if _, err := stream.Recv(); err != nil {
							return stream.SendAndClose(&uploadv1.UploadReceipt{Sha256: sum})
						}
					}
				}}
				receipt, err := Upload(t.Context(), dial(t, s), named("f"), strings.NewReader("xxx"), nil)
				requireCode(t, codes.DataLoss, err)
				require.ErrorContains(t, err, fmt.Sprintf("sha256: must be %x, got %x", sha256.Sum256([]byte("xxx")), sum))
				require.Nil(t, receipt)
			})
		})
	}
}

// The checksum is right for what the server has received: nothing.
func TestUpload_EarlyReceiptIsDataLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stub{OnUpload: func(stream serverStream) error {
			return stream.SendAndClose(&uploadv1.UploadReceipt{Sha256: sum(t, strings.NewReader(""))})
		}}
		r := paced{strings.NewReader("xxx"), synctest.Wait}
		_, err := Upload(t.Context(), dial(t, s), named("f"), r, nil)
		requireCode(t, codes.DataLoss, err)
		require.ErrorContains(t, err, "receipt: must come after the end of the file")
	})
}

// The call ends after the half-close, so nobody can tell the client whether
// the file is stored, unless the server itself says so.
func TestUpload_EndAfterHalfCloseLeavesADoubt(t *testing.T) {
	for code, doubt := range map[codes.Code]bool{
		codes.Canceled:          true,
		codes.DeadlineExceeded:  true,
		codes.Unavailable:       true,
		codes.AlreadyExists:     false,
		codes.ResourceExhausted: false,
		codes.PermissionDenied:  false,
		codes.Internal:          true,
		codes.Unknown:           true,
	} {
		t.Run(code.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stub{OnUpload: func(stream serverStream) error {
					for {
						if _, err := stream.Recv(); err != nil {
							return status.Error(code, "why")
						}
					}
				}}
				_, err := Upload(t.Context(), dial(t, s), named("f"), strings.NewReader("x"), nil)
				require.Equal(t, doubt, errors.Is(err, ErrNoReceipt), "got %v", err)
				requireCode(t, code, err)
				require.ErrorContains(t, err, "why")
			})
		})
	}
}

// What stands between, here an http.Server, resets the stream after the file
// was stored. The code is then Internal.
func TestUpload_ResetAfterHalfCloseLeavesADoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := newServer(t), grpc.NewServer()
		register(stub{OnUpload: func(stream serverStream) error {
			err := s.Upload(stream)
			<-stream.Context().Done()
			return err
		}})(g)
		between := memservertest.ServeHTTP(t, &http.Server{Handler: g, WriteTimeout: 10 * time.Second})
		client := uploadv1.NewUploadServiceClient(between.Dial(t))

		_, err := Upload(t.Context(), client, named("f"), strings.NewReader("x"), nil)
		requireCode(t, codes.Internal, err)
		require.Equal(t, []string{"f"}, names(t, s))
		require.ErrorIs(t, err, ErrNoReceipt)
	})
}

// The server receives nothing for an hour, so flow control blocks the
// client in Send. Then the server refuses the upload.
func TestUpload_RefusalWakesBlockedSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := stub{OnUpload: func(stream serverStream) error {
			time.Sleep(time.Hour)
			return invalid("name: must be new")
		}}
		start := time.Now()
		_, err := Upload(t.Context(), dial(t, late), named("f"), endless{}, nil)
		requireCode(t, codes.InvalidArgument, err)
		require.Equal(t, time.Hour, time.Since(start))
	})
}

func TestUpload_NoticesTheEndBetweenChunks(t *testing.T) {
	for _, tt := range []struct {
		name string
		file string
		idle time.Duration // of the server
		ends time.Duration // when the client cancels
		code codes.Code
		at   time.Duration
	}{
		{"a cancel", "f", 0, 10 * time.Second, codes.Canceled, 12 * time.Second},
		{"a refusal", "../f", 0, time.Hour, codes.InvalidArgument, 3 * time.Second},
		{"an idle timeout", "f", 2 * time.Second, time.Hour, codes.DeadlineExceeded, 3 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(tt.ends, cancel)
				s := newServer(t)
				s.IdleTimeout = tt.idle
				start := time.Now()
				slow := paced{endless{}, func() { time.Sleep(3 * time.Second) }}
				_, err := Upload(ctx, dial(t, s), named(tt.file), slow, nil)
				requireCode(t, tt.code, err)
				require.Equal(t, tt.at, time.Since(start))
			})
		})
	}
}

func TestUpload_NoticesDeadlineBetweenChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		slow := paced{endless{}, func() { time.Sleep(3 * time.Second) }}
		_, err := Upload(ctx, dial(t, s), named("f"), slow, nil)
		requireCode(t, codes.DeadlineExceeded, err)
		require.Equal(t, 12*time.Second, time.Since(start))
		synctest.Wait()
		require.Empty(t, names(t, s))
	})
}
