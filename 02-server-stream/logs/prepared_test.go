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
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/testproc"
)

const burst = 100 // entries that a benchmark publishes before it waits

// A preparingServer is a [LogServer] that encodes each entry once, as a
// [grpc.PreparedMsg], and sends the same bytes to all followers. LogServer
// does not do so, because a PreparedMsg has a price and limits:
//
//   - Compression: the bytes are compressed as the stream that was given to
//     Encode compresses. The client of a stream that does not compress
//     cannot decode them (see TestPreparedMsg_NeedsTheSameCompression).
//   - Codec: the bytes are also encoded with the codec of that stream. A
//     server with a second codec needs one PreparedMsg for each (see
//     TestPreparedMsg_NeedsTheSameCodec).
//   - Ownership: the bytes stay in memory as long as the entry does, in
//     addition to the entry. No documentation says that streams may share
//     a PreparedMsg concurrently. They can in grpc-go v1.85.0, which does
//     not change the bytes and does not return them to a pool. The type is
//     experimental.
//   - Stats handlers, and interceptors that wrap the stream, see a
//     *grpc.PreparedMsg instead of a LogEntry.
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
	if e.GetBookmark() { // has the sequence of an entry
		return s.serverStream.Send(e)
	}
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

// The first stream speaks JSON, and the second one does not.
func TestPreparedMsg_NeedsTheSameCodec(t *testing.T) {
	// In a process of its own, because a codec is registered for good.
	testproc.Self(t, func() int {
		encoding.RegisterCodec(jsonCodec{})
		synctest.Test(t, func(t *testing.T) {
			log := NewLog(10)
			appendLines(log, 3)
			for _, tt := range []struct {
				srv    logsv1.LogServiceServer
				second codes.Code
			}{
				{&LogServer{Log: log}, codes.OK},
				{&preparingServer{LogServer: LogServer{Log: log}}, codes.Internal},
			} {
				client := dial(t, tt.srv)
				for _, call := range []struct {
					opt  grpc.CallOption
					want codes.Code
				}{
					{grpc.CallContentSubtype("json"), codes.OK}, {grpc.EmptyCallOption{}, tt.second},
				} {
					stream, err := client.StreamLogs(t.Context(), &logsv1.LogRequest{}, call.opt)
					require.NoError(t, err)
					_, err = stream.Recv()
					require.Equal(t, call.want, status.Code(err), "%T: got %v", tt.srv, err)
				}
			}
		})
		return 0
	}, nil).RequireExit(0, "", "")
}

func TestPreparedMsg_BookmarkIsNotTheEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		appendLines(log, 3)
		client := dial(t, &preparingServer{LogServer: LogServer{Log: log}})
		got, err := sequences(t.Context(), client, &logsv1.LogRequest{}, 0)
		require.NoError(t, err)
		require.Equal(t, between(1, 3), got)
	})
}

// The third row of the table in README.md counts on one encoding per entry.
func TestPreparedMsg_EntryIsEncodedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(preparingServer)
		encoded := map[*grpc.PreparedMsg]int{}
		client := dial(t, stub{OnStreamLogs: func(_ *logsv1.LogRequest, stream serverStream) error {
			for i := range uint64(10) {
				msg, err := s.encode(stream, &logsv1.LogEntry{Sequence: i + 1})
				if err != nil {
					return err
				}
				encoded[msg]++
			}
			return nil
		}})
		for range 3 {
			_, err := sequences(t.Context(), client, &logsv1.LogRequest{}, 0)
			require.NoError(t, err)
		}
		require.Len(t, encoded, 10)
	})
}

type jsonCodec struct{}

func (jsonCodec) Name() string                  { return "json" }
func (jsonCodec) Marshal(v any) ([]byte, error) { return protojson.Marshal(v.(proto.Message)) }
func (jsonCodec) Unmarshal(data []byte, v any) error {
	return protojson.Unmarshal(data, v.(proto.Message))
}

type zlibCompressor struct{}

func (zlibCompressor) Name() string                                 { return "zlib" }
func (zlibCompressor) Compress(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil }
func (zlibCompressor) Decompress(r io.Reader) (io.Reader, error)    { return zlib.NewReader(r) }
