package fastupload

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	clientstream "example.com/streams/03-client-stream"
	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/07-production/throughput/bufcodec"
	"example.com/streams/internal/memserver/memservertest"
)

// cut returns data in buffers of the sizes, again and again, as the transport
// may receive it. Each buffer counts its references.
func cut(data []byte, sizes []byte) mem.BufferSlice {
	var all mem.BufferSlice
	for i := 0; len(data) > 0; i++ {
		n := 1 << 20
		if len(sizes) > 0 {
			n = int(sizes[i%len(sizes)])
		}
		if n == 0 && slices.Max(sizes) == 0 {
			n = 1 // the others may be empty
		}
		n = min(n, len(data))
		buf := make([]byte, n, max(n, 2<<10)) // above the threshold below which mem does not count
		copy(buf, data)
		all = append(all, mem.NewBuffer(&buf, mem.NopBufferPool{}))
		data = data[n:]
	}
	return all
}

// FuzzIncoming decodes arbitrary bytes in arbitrary buffers. The message must
// be what package proto says, or both must refuse it.
func FuzzIncoming(f *testing.F) {
	whole, err := proto.Marshal(chunk("some bytes"))
	require.NoError(f, err)
	for _, data := range [][]byte{
		nil,
		whole,
		whole[:5],                            // is cut off
		append(slices.Clip(whole), whole...), // the second chunk counts
		{0x12, 0x00},                         // an empty chunk
		{0x12, 0x85, 0x00, 1, 2, 3, 4, 5},    // a length that is too long by a byte
		{0x12, 0xff, 0xff, 0xff, 0xff, 0x0f}, // a length that no message has
		{0x92, 0x00, 0x01, 0xff},             // a tag that is too long by a byte
		{0x0a, 0x03, 0x0a, 0x01, 'f'},        // an info
		{0x12, 0x01, 'x', 0x0a, 0x00},        // a chunk, and then an info
		{0x1a, 0x01, 'x', 0x12, 0x01, 'y'},   // an unknown field
		{0x13, 0x14},                         // a group
	} {
		f.Add(data, []byte{1})
		f.Add(data, []byte{0, 2, 7})
		f.Add(data, []byte{})
	}
	f.Fuzz(func(t *testing.T, data, sizes []byte) {
		want := new(uploadv1.UploadRequest)
		wantErr := proto.Unmarshal(data, want)

		buffers := cut(data, sizes)
		m := incoming{UploadRequest: chunk("of the last message")}
		err := bufcodec.Codec{}.Unmarshal(buffers, &m)
		buffers.Free() // as gRPC does

		require.Equal(t, wantErr == nil, err == nil, "package proto: %v; incoming: %v", wantErr, err)
		if err != nil {
			return
		}
		got := m.UploadRequest
		if len(m.pieces) > 0 {
			require.Nil(t, got.GetContent(), "pieces and a message")
			got = chunk(string(m.pieces.Materialize()))
		}
		require.True(t, proto.Equal(want, got), "want %v, got %v", want, got)
		m.free()
		require.Empty(t, m.pieces)
	})
}

// FuzzOutgoing compares the bytes with those of package proto.
func FuzzOutgoing(f *testing.F) {
	f.Add([]byte("x"))
	f.Add(bytes.Repeat([]byte("y"), 300))
	f.Fuzz(func(t *testing.T, data []byte) {
		want, err := proto.Marshal(chunk(string(data)))
		require.NoError(t, err)
		got, err := bufcodec.Codec{}.Marshal(&outgoing{chunk: mem.SliceBuffer(data)})
		require.NoError(t, err)
		require.Equal(t, want, got.Materialize())

		slow, err := proto.Marshal(&outgoing{chunk: mem.SliceBuffer(data)})
		require.NoError(t, err)
		require.Equal(t, want, slow, "as a proto.Message")
	})
}

// Each client with each server, in chunks of many sizes.
func TestUpload_WorksWithChapter03(t *testing.T) {
	for _, size := range []int{1, 100, 16379, 16384, 70_000, ChunkSize} {
		synctest.Test(t, func(t *testing.T) {
			fast := newServer(t)
			plain := &clientstream.UploadServer{Root: fast.Root}
			want := generatedBytes(t, 3*size+1)
			for name, server := range map[string]uploadv1.UploadServiceServer{"to the fast server": fast, "to the plain one": plain} {
				client := dial(t, server)
				stream := open(t, t.Context(), client, info(name))
				for part := range slices.Chunk(want, size) {
					require.NoError(t, stream.Send(chunk(string(part))))
				}
				_, err := stream.CloseAndRecv()
				require.NoError(t, err)
				requireBytes(t, want, read(t, fast, name), fmt.Sprintf("chunks of %d %s", size, name))

				_, err = Upload(t.Context(), client, named("fast "+name), bytes.NewReader(want), nil)
				require.NoError(t, err)
				requireBytes(t, want, read(t, fast, "fast "+name), "fast "+name)
			}
		})
	}
}

// A terminal would wait for more input.
func TestUpload_DoesNotReadBeyondTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		r := paced{strings.NewReader("a chunk"), func() { reads++ }}
		_, err := Upload(t.Context(), dial(t, newServer(t)), named("f"), r, nil)
		require.NoError(t, err)
		require.Equal(t, 2, reads, "the chunk, and the end")
	})
}

func TestUpload_CompressedChunksAreStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		server := memservertest.Serve(t, register(s))
		client := uploadv1.NewUploadServiceClient(server.Dial(t, grpc.WithDefaultCallOptions(grpc.UseCompressor("gzip"))))
		text := strings.Repeat("to be compressed ", 100_000)
		_, err := Upload(t.Context(), client, named("f"), strings.NewReader(text), nil)
		require.NoError(t, err)
		requireBytes(t, []byte(text), read(t, s, "f"), "the file")
	})
}

// A codec that knows nothing of buffers gets an UploadRequest.
func TestUpload_OtherCodecsWorkAndCopy(t *testing.T) {
	encoding.RegisterCodec(jsonCodec{})
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		server := memservertest.Serve(t, register(s))
		client := uploadv1.NewUploadServiceClient(server.Dial(t, grpc.WithDefaultCallOptions(grpc.CallContentSubtype("json"))))
		want := generatedBytes(t, 2*ChunkSize)
		_, err := Upload(t.Context(), client, named("f"), bytes.NewReader(want), nil)
		require.NoError(t, err)
		requireBytes(t, want, read(t, s, "f"), "the file")
	})
}

type jsonCodec struct{}

func (jsonCodec) Name() string                  { return "json" }
func (jsonCodec) Marshal(v any) ([]byte, error) { return protojson.Marshal(v.(proto.Message)) }
func (jsonCodec) Unmarshal(data []byte, v any) error {
	return protojson.Unmarshal(data, v.(proto.Message))
}

// A stats handler may read a message while HandleRPC runs. The chunk of a
// message that it keeps is gone.
func TestStats_MessageIsValidOnlyDuringTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept []any
		server := memservertest.Serve(t, register(newServer(t)))
		client := uploadv1.NewUploadServiceClient(server.Dial(t, grpc.WithStatsHandler(handlerFunc(func(s stats.RPCStats) {
			if out, ok := s.(*stats.OutPayload); ok {
				kept = append(kept, out.Payload)
				_, err := proto.Marshal(out.Payload.(proto.Message))
				require.NoError(t, err)
			}
		}))))
		_, err := Upload(t.Context(), client, named("f"), strings.NewReader("a chunk"), nil)
		require.NoError(t, err)
		synctest.Wait() // until gRPC is done with the buffers
		require.Len(t, kept, 2, "the info and a chunk")
		require.IsType(t, new(uploadv1.UploadRequest), kept[0])
		require.IsType(t, new(outgoing), kept[1])
		require.NotEqual(t, "a chunk", bytesOf(kept[1].(*outgoing)))
	})
}

// A stats handler or an interceptor of the server, such as one that validates
// messages, must not see an empty one.
func TestStats_ServerSeesTheWholeChunk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []*uploadv1.UploadRequest
		server := memservertest.Serve(t, register(newServer(t)), grpc.StatsHandler(handlerFunc(func(s stats.RPCStats) {
			if in, ok := s.(*stats.InPayload); ok {
				require.IsType(t, new(incoming), in.Payload)
				m := new(uploadv1.UploadRequest)
				proto.Merge(m, in.Payload.(proto.Message))
				seen = append(seen, m)
			}
		})))
		want := generatedBytes(t, ChunkSize+5)
		_, err := Upload(t.Context(), uploadv1.NewUploadServiceClient(server.Dial(t)), named("f"), bytes.NewReader(want), nil)
		require.NoError(t, err)
		require.Len(t, seen, 3)
		require.Equal(t, "f", seen[0].GetInfo().GetName())
		requireBytes(t, want[:ChunkSize], string(seen[1].GetChunk()), "the first chunk")
		requireBytes(t, want[ChunkSize:], string(seen[2].GetChunk()), "the second chunk")
	})
}

// bytesOf returns the bytes of a chunk that was freed: none, because grpc-go
// panics, or those of who uses the buffer now.
func bytesOf(m *outgoing) (bytes string) {
	defer func() { _ = recover() }()
	return string(m.chunk.ReadOnlyData())
}

// A handlerFunc is a stats.Handler.
type handlerFunc func(stats.RPCStats)

func (f handlerFunc) HandleRPC(_ context.Context, s stats.RPCStats)                     { f(s) }
func (f handlerFunc) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (f handlerFunc) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (f handlerFunc) HandleConn(context.Context, stats.ConnStats)                       {}

// A handler that keeps a request sees the bytes of another one, or none.
func TestReceive_RequestIsValidUntilTheNextRecv(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first, second *uploadv1.UploadRequest
		s := stub{OnUpload: func(stream serverStream) error {
			fast := Receive(stream)
			var err error
			if first, err = fast.Recv(); err != nil {
				return err
			}
			require.Equal(t, "one", string(first.GetChunk()))
			second, err = fast.Recv()
			return err
		}}
		stream := open(t, t.Context(), dial(t, s), chunk("one"), chunk("two"))
		_, err := stream.CloseAndRecv()
		require.Equal(t, codes.Internal, status.Code(err), "no receipt: got %v", err)
		require.Same(t, first, second)
		require.Equal(t, "two", string(first.GetChunk()))
	})
}

func generatedBytes(t *testing.T, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	_, err := b.ReadFrom(generated(int64(size)))
	require.NoError(t, err)
	return b.Bytes()
}
