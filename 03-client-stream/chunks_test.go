package clientstream

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

func TestUploadChunks_StoresWhatCameBeforeTheClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		chunks := make(chan []byte)
		go func() {
			defer close(chunks)
			for _, text := range []string{"one ", "two ", "three"} {
				time.Sleep(30 * time.Second)
				chunks <- []byte(text)
			}
		}()
		receipt, err := UploadChunks(t.Context(), dial(t, s), named("f"), chunks)
		require.NoError(t, err)
		require.Equal(t, int64(len("one two three")), receipt.GetSize())
		require.Equal(t, "one two three", read(t, s, "f"))
	})
}

// After the only chunk, the source is silent. The server then refuses.
func TestUploadChunks_RefusalEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		chunks := make(chan []byte, 1)
		chunks <- []byte("half")
		start := time.Now()
		_, err := UploadChunks(t.Context(), dial(t, s), named("f"), chunks)
		requireCode(t, codes.DeadlineExceeded, err)
		require.ErrorContains(t, err, "chunk or half-close: must arrive within 1m0s")
		require.Equal(t, DefaultIdleTimeout, time.Since(start))
		require.Empty(t, names(t, s))
	})
}

func TestUploadChunks_SendReturnsTheRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.MaxBytes = 10
		chunks := make(chan []byte, 1000)
		for range cap(chunks) { // endless for this server
			chunks <- make([]byte, ChunkSize)
		}
		_, err := UploadChunks(t.Context(), dial(t, s), named("f"), chunks)
		requireCode(t, codes.ResourceExhausted, err)
	})
}

// The receipt comes while UploadChunks waits for a chunk, or in Send.
func TestUploadChunks_EarlyReceiptIsDataLoss(t *testing.T) {
	full := make(chan []byte, 10)
	for range cap(full) { // more than the windows hold
		full <- make([]byte, ChunkSize)
	}
	for name, chunks := range map[string]chan []byte{"no chunk": nil, "many chunks": full} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hasty := stub{OnUpload: func(stream serverStream) error {
					time.Sleep(time.Second)
					return stream.SendAndClose(new(uploadv1.UploadReceipt))
				}}
				_, err := UploadChunks(t.Context(), dial(t, hasty), named("f"), chunks)
				requireCode(t, codes.DataLoss, err)
			})
		})
	}
}

func TestUploadChunks_WaitsUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		patient := dial(t, stub{OnUpload: func(stream serverStream) error {
			<-stream.Context().Done()
			return stream.Context().Err()
		}})
		chunks := make(chan []byte)
		for _, end := range []func(){func() {}, func() { close(chunks) }} {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(24*time.Hour, cancel)
			time.AfterFunc(time.Hour, end)
			start := time.Now()
			_, err := UploadChunks(ctx, patient, named("f"), chunks)
			requireCode(t, codes.Canceled, err)
			require.Equal(t, 24*time.Hour, time.Since(start))
		}
	})
}

func TestUploadChunks_DeadlineStoresNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		client := dial(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		chunks := make(chan []byte, 1)
		chunks <- []byte("half")
		_, err := UploadChunks(ctx, client, named("f"), chunks)
		requireCode(t, codes.DeadlineExceeded, err)
		synctest.Wait()
		require.Empty(t, names(t, s))
	})
}
