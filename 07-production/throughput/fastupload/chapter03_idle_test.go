// Code generated from 03-client-stream/idle_test.go; DO NOT EDIT.

package fastupload

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

func TestUpload_IdleTimeoutEndsSilentUpload(t *testing.T) {
	for _, tt := range []struct {
		name string
		sent []*uploadv1.UploadRequest
		set  time.Duration
		took time.Duration
		says string
	}{
		{"before the info", nil, 0, time.Minute, "info: must arrive within 1m0s"},
		{"before the first chunk", sends(info("f")), 0, time.Minute, "chunk or half-close: must arrive within 1m0s"},
		{"between chunks", sends(info("f"), chunk("x")), 0, time.Minute, "chunk or half-close: must arrive within 1m0s"},
		{"another limit", sends(info("f"), chunk("x")), time.Hour, time.Hour, "chunk or half-close: must arrive within 1h0m0s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				s.IdleTimeout = tt.set
				start := time.Now()
				stream := open(t, t.Context(), dial(t, s), tt.sent...)
				err := stream.RecvMsg(new(uploadv1.UploadReceipt)) // sends no half-close
				requireCode(t, codes.DeadlineExceeded, err)
				require.Equal(t, tt.says, status.Convert(err).Message())
				require.Equal(t, tt.took, time.Since(start))
				synctest.Wait()
				require.Empty(t, names(t, s))
			})
		})
	}
}

// Each message, and the half-close, comes just in time.
func TestUpload_SlowButSteadyUploadOfADayIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		start, pause := time.Now(), DefaultIdleTimeout-time.Nanosecond
		stream := open(t, t.Context(), dial(t, s))
		time.Sleep(pause)
		require.NoError(t, stream.Send(info("f")))
		chunks := 0
		for time.Since(start) < 24*time.Hour {
			time.Sleep(pause)
			require.NoError(t, stream.Send(chunk("x")))
			chunks++
		}
		time.Sleep(pause)
		receipt, err := stream.CloseAndRecv()
		require.NoError(t, err)
		require.Equal(t, int64(chunks), receipt.GetSize())
		require.Len(t, read(t, s, "f"), chunks)
	})
}
