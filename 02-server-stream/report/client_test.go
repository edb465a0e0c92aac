package report

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	reportv1 "example.com/streams/02-server-stream/report/v1"
)

func TestDownload_NoticesAReportThatIsNotWhole(t *testing.T) {
	sum := "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" // of "foo"
	foo := metadata.Pairs(SizeKey, "3", SHA256Key, sum)
	for name, tt := range map[string]struct {
		chunks  []string // chunk i has the number i, unless order has another
		order   []int32
		trailer metadata.MD
		err     string // empty: OK
	}{
		"whole":         {[]string{"fo", "o"}, nil, foo, ""},
		"no trailer":    {[]string{"fo", "o"}, nil, nil, "report-size: must have one value in the trailer, got 0"},
		"no checksum":   {[]string{"fo", "o"}, nil, metadata.Pairs(SizeKey, "3"), "report-sha256: must have one value in the trailer, got 0"},
		"too short":     {[]string{"fo"}, nil, foo, "report-size: must be 3, got 2"},
		"corrupted":     {[]string{"fo", "x"}, nil, foo, "report-sha256: must be " + sum + ", got "},
		"out of order":  {[]string{"o", "fo"}, []int32{1, 0}, foo, "chunk_number: must be 0, got 1"},
		"a gap":         {[]string{"fo", "o"}, []int32{0, 2}, foo, "chunk_number: must be 1, got 2"},
		"a chunk twice": {[]string{"fo", "fo"}, []int32{0, 0}, foo, "chunk_number: must be 1, got 0"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := dial(t, stub{OnGenerateReport: func(stream serverStream) error {
					stream.SetTrailer(tt.trailer)
					for i, data := range tt.chunks {
						number := int32(i)
						if tt.order != nil {
							number = tt.order[i]
						}
						if err := stream.Send(&reportv1.ReportChunk{Data: []byte(data), ChunkNumber: number}); err != nil {
							return err
						}
					}
					return nil
				}})
				_, err := Download(t.Context(), client, "sales", io.Discard)
				if tt.err == "" {
					require.NoError(t, err)
					return
				}
				require.Equal(t, codes.DataLoss, status.Code(err), "got %v", err)
				require.ErrorContains(t, err, tt.err)
			})
		})
	}
}

func TestDownload_FailingWriterEndsTheHandlerToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler := make(chan error, 1)
		client := dial(t, stub{OnGenerateReport: func(stream serverStream) error {
			err := stream.Send(&reportv1.ReportChunk{Data: []byte("foo")})
			<-stream.Context().Done()
			handler <- context.Cause(stream.Context())
			return err
		}})
		full := errors.New("the disk is full")
		start := time.Now()
		_, err := Download(t.Context(), client, "sales", writerFunc(func([]byte) (int, error) { return 0, full }))
		require.ErrorIs(t, err, full)
		require.ErrorIs(t, <-handler, context.Canceled)
		require.Zero(t, time.Since(start))
	})
}
