package logs

import (
	"compress/zlib"
	"io"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/testproc"
)

// A preparingServer is a [LogServer] that encodes each entry once, as a
// [grpc.PreparedMsg], and sends the same bytes to all followers. LogServer
// does not do so, because a PreparedMsg has a price and limits:
//
//   - Compression: the bytes are compressed as the stream that was given to
//     Encode compresses. The client of a stream that does not compress
//     cannot decode them (see TestPreparedMsg_NeedsTheSameCompression).
//   - Codec: the bytes are also encoded with the codec of that stream. A
//     server with a second codec needs one PreparedMsg for each.
//   - Ownership: the bytes stay in memory as long as the entry does, in
//     addition to the entry. No documentation says that streams may share
//     a PreparedMsg concurrently. They can in grpc-go v1.85.0, which does
//     not change the bytes and does not return them to a pool. The type is
//     experimental.
//   - Interceptors and stats handlers see a *grpc.PreparedMsg instead of a
//     LogEntry.
type preparingServer struct {
	LogServer

	mu   sync.Mutex
	held [10 * burst]preparedEntry // the entry with sequence s is at s % len(held)
}

type preparedEntry struct {
	sequence uint64
	msg      *grpc.PreparedMsg
}

func (s *preparingServer) StreamLogs(req *logsv1.LogRequest, stream serverStream) error {
	return s.LogServer.StreamLogs(req, preparedStream{stream, s})
}

// A preparedStream sends what its server has encoded.
type preparedStream struct {
	serverStream
	server *preparingServer
}

func (s preparedStream) Send(e *logsv1.LogEntry) error {
	msg, err := s.server.encode(s.serverStream, e)
	if err != nil {
		return err
	}
	return s.SendMsg(msg)
}

// encode returns the encoding of e. The first stream that asks for it
// determines the codec and the compression.
func (s *preparingServer) encode(stream grpc.ServerStream, e *logsv1.LogEntry) (*grpc.PreparedMsg, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.held[e.GetSequence()%uint64(len(s.held))]
	if p.sequence != e.GetSequence() {
		msg := new(grpc.PreparedMsg)
		if err := msg.Encode(stream, e); err != nil {
			return nil, err
		}
		*p = preparedEntry{e.GetSequence(), msg}
	}
	return p.msg, nil
}

// The third stream does not compress, and the first two do.
func TestPreparedMsg_NeedsTheSameCompression(t *testing.T) {
	// The test runs in a process of its own, because clients name every
	// registered compressor in a header, which wire_test.go would see.
	testproc.Self(t, func() int {
		encoding.RegisterCompressor(zlibCompressor{})
		synctest.Test(t, func(t *testing.T) {
			log := NewLog(10)
			appendLines(log, 3)
			plain := dial(t, &LogServer{Log: log})
			prepared := dial(t, &preparingServer{LogServer: LogServer{Log: log}})
			for _, tt := range []struct {
				client     logsv1.LogServiceClient
				compressor string
				want       codes.Code
			}{
				{plain, "zlib", codes.OK}, {plain, "zlib", codes.OK}, {plain, "identity", codes.OK},
				{prepared, "zlib", codes.OK}, {prepared, "zlib", codes.OK}, {prepared, "identity", codes.Internal},
			} {
				stream, err := tt.client.StreamLogs(t.Context(), &logsv1.LogRequest{}, grpc.UseCompressor(tt.compressor))
				require.NoError(t, err)
				_, err = stream.Recv()
				require.Equal(t, tt.want, status.Code(err), "%s: got %v", tt.compressor, err)
			}
		})
		return 0
	}, nil).RequireExit(0, "", "")
}

type zlibCompressor struct{}

func (zlibCompressor) Name() string                                 { return "zlib" }
func (zlibCompressor) Compress(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil }
func (zlibCompressor) Decompress(r io.Reader) (io.Reader, error)    { return zlib.NewReader(r) }
