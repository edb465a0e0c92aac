package fastlog

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/throughput/bufcodec"
	fastlogv1 "example.com/streams/07-production/throughput/fastlog/v1"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/wire"
	"example.com/streams/internal/wire/wiretest"
)

func TestStreamBatches_JoinsWhatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(1000)
		appendLines(log, 100)
		client := fastlogv1.NewBatchLogServiceClient(memservertest.Dial(t, register(&LogServer{Log: log})))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream, err := client.StreamBatches(ctx, &logsv1.LogRequest{Follow: true})
		require.NoError(t, err)
		batch, err := stream.Recv()
		require.NoError(t, err)
		require.Len(t, batch.GetEntries(), 100)

		start := time.Now()
		time.AfterFunc(time.Second, func() { appendLines(log, 1) })
		batch, err = stream.Recv()
		require.NoError(t, err)
		require.Len(t, batch.GetEntries(), 1)
		require.Equal(t, time.Second, time.Since(start), "the batch does not wait for more entries")
	})
}

func TestStreamBatches_OneMessageHasAtMost32KiB(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(1000)
		for range 300 {
			log.Append(strings.Repeat("x", 1000), false)
		}
		log.Append(strings.Repeat("x", 40<<10), false) // is alone in its message
		log.Append("y", false)
		client := fastlogv1.NewBatchLogServiceClient(memservertest.Dial(t, register(&LogServer{Log: log})))
		stream, err := client.StreamBatches(t.Context(), new(logsv1.LogRequest))
		require.NoError(t, err)
		received := 0
		batch, err := stream.Recv()
		for ; err == nil; batch, err = stream.Recv() {
			if len(batch.GetEntries()) > 1 {
				require.LessOrEqual(t, proto.Size(batch), 32<<10)
			}
			received += len(batch.GetEntries())
		}
		require.Equal(t, 302, received)
	})
}

// A copied batch would cost each follower the time to copy it, and memory.
func TestRead_FollowersShareTheBytes(t *testing.T) {
	log := NewLog(100)
	appendLines(log, 50)
	one, n, last, err := log.read("", 0, 1000)
	require.NoError(t, err)
	require.Equal(t, 50, n)
	require.EqualValues(t, 50, last)
	two, _, _, err := log.read("", 0, 1000)
	require.NoError(t, err)
	require.Same(t, &one[0], &two[0])

	later, _, _, err := log.read(log.id, 20, 10)
	require.NoError(t, err)
	require.Contains(t, string(one), string(later))
	require.Equal(t, len(later), cap(later), "append to a batch must not write into the log")
}

// FuzzLog appends messages of many sizes, and reads them in batches.
func FuzzLog(f *testing.F) {
	f.Add([]byte{1, 2, 3}, uint8(16), uint16(3))
	f.Add([]byte{255, 255, 255, 255, 255}, uint8(4), uint16(255))
	f.Add([]byte("\x00\xff\x00"), uint8(1), uint16(0))
	f.Fuzz(func(t *testing.T, sizes []byte, limit uint8, factor uint16) {
		log := NewLog(len(sizes))
		var want []string
		for _, size := range sizes {
			want = append(want, strings.Repeat("é", int(size)*int(factor)/64))
			log.Append(want[len(want)-1], false)
		}
		var got []string
		for after := uint64(0); ; {
			batch, n, last, err := log.read(log.id, after, max(1, int(limit)))
			require.NoError(t, err)
			if n == 0 {
				break
			}
			require.Equal(t, after+uint64(n), last)
			var m fastlogv1.LogBatch
			require.NoError(t, proto.Unmarshal(batch, &m))
			require.Len(t, m.GetEntries(), n)
			for i, e := range m.GetEntries() {
				require.Equal(t, after+uint64(i)+1, e.GetSequence())
				got = append(got, e.GetMessage())
			}
			after = last
		}
		require.Equal(t, want, got)
	})
}

// A codec that knows nothing of encoded bytes decodes and encodes them.
func TestEncoded_IsTheSameForEachCodec(t *testing.T) {
	log := NewLog(10)
	appendLines(log, 3)
	batch, _, _, err := log.read("", 0, 3)
	require.NoError(t, err)
	got, err := proto.Marshal(&encoded{data: batch, message: new(fastlogv1.LogBatch)})
	require.NoError(t, err)
	require.Equal(t, batch, got)
}

// The doc comment of MaxLogBytes has these numbers.
func TestLog_TakesMoreThanItsMessages(t *testing.T) {
	log := NewLog(1000)
	for range 1000 {
		log.Append(strings.Repeat("x", logs.MaxLine), false)
	}
	segments, messages := 0, 0
	for _, e := range log.entries {
		if e.first {
			segments += segmentSize
		}
		messages += e.size
	}
	require.InDelta(t, 4.0/3, float64(segments)/float64(messages), 0.01)

	log = NewLog(1000)
	log.newest, log.oldest = 1<<64-10, 1<<64-9 // the longest sequences
	most := 0
	for _, message := range []string{"", strings.Repeat("x", logs.MaxLine)} {
		log.Append(message, true)
		e := log.entries[log.newest%1000]
		most = max(most, len(e.encoded)-e.size)
	}
	require.LessOrEqual(t, most, 45, "bytes beside the message")
	require.GreaterOrEqual(t, most, 40)
	require.LessOrEqual(t, unsafe.Sizeof(entry{}), uintptr(40))
}

func TestLog_DrainsOnce(t *testing.T) {
	log := NewLog(0)
	appendLines(log, 2)
	log.Drain()
	log.Drain()
	appendLines(log, 1)
	oldest, newest, _ := held(log)
	require.Equal(t, []uint64{2, 2}, []uint64{oldest, newest}, "a retention of 0 is 1, and Drain ends Append")
}

func TestAppend_ReplacesInvalidUTF8(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		log.Append("a\xffb", false)
		for e, err := range Tail(t.Context(), dial(t, &LogServer{Log: log}), new(logsv1.LogRequest)) {
			require.NoError(t, err)
			require.Equal(t, "a\uFFFDb", e.GetMessage())
		}
	})
}

func TestIngest_FillsTheFastLog(t *testing.T) {
	log := NewLog(10)
	require.NoError(t, logs.Ingest(log, strings.NewReader("one\ntwo")))
	oldest, newest, size := held(log)
	require.Equal(t, []uint64{1, 2}, []uint64{oldest, newest})
	require.Equal(t, len("onetwo"), size)
}

// The id of the log is in each encoded entry, and not in its message.
func TestContains_LooksAtTheMessageOnly(t *testing.T) {
	withEachClient(t, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			log := NewLog(10)
			appendLines(log, 3)
			log.Append("id "+log.id, false)
			got, err := sequences(t.Context(), dial(t, &LogServer{Log: log}), &logsv1.LogRequest{Contains: log.id}, 0)
			require.NoError(t, err)
			require.Equal(t, []uint64{4}, got)
		})
	})
}

// Matches are few and far between. If they were slices of the log, each would
// keep a segment of 64 KiB in memory.
func TestContains_CopiesMatches(t *testing.T) {
	log := NewLog(10)
	appendLines(log, 3)
	batch, _, _, err := log.read("", 0, 3)
	require.NoError(t, err)
	found := matches(batch, "line 2")
	require.Contains(t, string(batch), string(found))
	batch[len(batch)/2] ^= 1 // nobody may do this
	require.NotContains(t, string(batch), string(found))
}

func TestNewClient_NeedsAServerWithBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := memservertest.Dial(t, register(&logs.LogServer{Log: logs.NewLog(1)}))
		_, err := sequences(t.Context(), NewClient(conn), new(logsv1.LogRequest), 0)
		require.Equal(t, codes.Unimplemented, status.Code(err), "got %v", err)
	})
}

// What follows shows the price of bytes that are encoded already: what others
// do to messages, and who still sees a message.

// Unlike a PreparedMsg, the bytes are compressed for each stream.
func TestCompression_EachStreamHasItsOwn(t *testing.T) {
	withEachClient(t, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			log := NewLog(100)
			appendLines(log, 50)
			client := dial(t, &LogServer{Log: log})
			for _, compressor := range []string{"gzip", "identity", "gzip"} {
				stream, err := client.StreamLogs(t.Context(), new(logsv1.LogRequest), grpc.UseCompressor(compressor))
				require.NoError(t, err)
				e, err := stream.Recv()
				require.NoError(t, err, compressor)
				require.Equal(t, "line 1", e.GetMessage())
			}
		})
	})
}

// A client of another codec costs the server the time to decode and encode.
// A server with a forced codec cannot decode its request.
func TestCodec_ForcedOneRefusesOtherCodecs(t *testing.T) {
	encoding.RegisterCodec(jsonCodec{})
	for name, tt := range map[string]struct {
		opts []grpc.ServerOption
		want codes.Code
	}{
		"registered": {nil, codes.OK},
		"forced":     {[]grpc.ServerOption{grpc.ForceServerCodecV2(bufcodec.Codec{})}, codes.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := NewLog(10)
				appendLines(log, 3)
				server := memservertest.Serve(t, register(&LogServer{Log: log}), tt.opts...)
				for _, client := range []logsv1.LogServiceClient{
					NewClient(server.Dial(t)), logsv1.NewLogServiceClient(server.Dial(t)),
				} {
					stream, err := client.StreamLogs(t.Context(), new(logsv1.LogRequest), grpc.CallContentSubtype("json"))
					require.NoError(t, err)
					e, err := stream.Recv()
					require.Equal(t, tt.want.String(), status.Code(err).String(), "got %v", err)
					if err == nil {
						require.Equal(t, "line 1", e.GetMessage())
					}
				}
			})
		})
	}
}

type jsonCodec struct{}

func (jsonCodec) Name() string                  { return "json" }
func (jsonCodec) Marshal(v any) ([]byte, error) { return protojson.Marshal(v.(proto.Message)) }
func (jsonCodec) Unmarshal(data []byte, v any) error {
	return protojson.Unmarshal(data, v.(proto.Message))
}

// A stats handler that expects a *logsv1.LogEntry does not find one, but a
// proto.Message with the same fields.
func TestStats_SeeAMessageOfAnotherType(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		appendLines(log, 2)
		seen := new(statsHandler)
		server := memservertest.Serve(t, register(&LogServer{Log: log}), grpc.StatsHandler(seen))
		for _, client := range []logsv1.LogServiceClient{
			NewClient(server.Dial(t)), logsv1.NewLogServiceClient(server.Dial(t)),
		} {
			_, err := sequences(t.Context(), client, new(logsv1.LogRequest), 0)
			require.NoError(t, err)
		}
		var names []string
		for _, m := range seen.sent {
			_, isEntry := m.(*logsv1.LogEntry)
			require.False(t, isEntry)
			names = append(names, string(m.(proto.Message).ProtoReflect().Descriptor().Name()))
		}
		require.Equal(t, []string{
			"LogBatch", "LogBatch", // the entries, and the last bookmark
			"LogEntry", "LogEntry", "LogEntry",
		}, names)
	})
}

// A statsHandler keeps the messages that are sent.
type statsHandler struct{ sent []any }

func (h *statsHandler) HandleRPC(_ context.Context, s stats.RPCStats) {
	if out, ok := s.(*stats.OutPayload); ok {
		h.sent = append(h.sent, out.Payload)
	}
}

func (h *statsHandler) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (h *statsHandler) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (h *statsHandler) HandleConn(context.Context, stats.ConnStats)                       {}

// Three entries in one message: 5 bytes of gRPC and a frame once.
func TestWire_BatchIsOneMessage(t *testing.T) {
	wiretest.Frames(t, "testdata/batch.txt", func(t *testing.T, tap *wire.Tap) {
		log := NewLog(10)
		server := memservertest.Serve(t, register(&LogServer{Log: log}))
		conn := server.Dial(t, grpc.WithContextDialer(tap.Dialer(server.DialContext)))
		appendLines(log, 3)
		stream, err := NewClient(conn).StreamLogs(t.Context(), new(logsv1.LogRequest))
		require.NoError(t, err)
		for err == nil {
			_, err = stream.Recv()
		}
	})
}
