package clientstream

import (
	"io"
	"iter"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// requests yields the messages of an upload: first info, then the bytes of
// r in chunks of size bytes. The last chunk may be shorter. If a Read of r
// fails, requests yields the error and ends.
func requests(
	info *uploadv1.FileInfo, r io.Reader, size int,
) iter.Seq2[*uploadv1.UploadRequest, error] {
	return func(yield func(*uploadv1.UploadRequest, error) bool) {
		if !yield(infoRequest(info), nil) {
			return
		}
		for {
			// Each chunk has its own buffer, because a message must not
			// change after Send.
			chunk := make([]byte, size)
			n, err := fill(chunk, r)
			if err != nil {
				yield(nil, err)
				return
			}
			if n > 0 && !yield(chunkRequest(chunk[:n]), nil) {
				return
			}
			if n < size { // r has ended
				return
			}
		}
	}
}

// fill reads from r until chunk is full or r ends. It does not use
// [io.ReadFull], which reports the end of r in a chunk as
// [io.ErrUnexpectedEOF]. A broken download reports the same error, and half
// a file would be sent as a whole file.
func fill(chunk []byte, r io.Reader) (n int, err error) {
	for n < len(chunk) {
		m, err := r.Read(chunk[n:])
		n += m
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func infoRequest(info *uploadv1.FileInfo) *uploadv1.UploadRequest {
	return &uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Info{Info: info}}
}

func chunkRequest(chunk []byte) *uploadv1.UploadRequest {
	return &uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Chunk{Chunk: chunk}}
}
