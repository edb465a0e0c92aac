package clientstream

import (
	"io"
	"iter"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
)

// requests yields the messages of an upload: the info, then what r holds
// in chunks of size bytes, then the error of r, if it ends with one.
func requests(
	info *uploadv1.FileInfo, r io.Reader, size int,
) iter.Seq2[*uploadv1.UploadRequest, error] {
	return func(yield func(*uploadv1.UploadRequest, error) bool) {
		req := &uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Info{Info: info}}
		for more := true; yield(req, nil) && more; {
			// A new buffer each time: a message may not change after Send.
			chunk := make([]byte, size)
			n, err := fill(chunk, r)
			if err != nil {
				yield(nil, err)
				return
			}
			if n == 0 {
				return
			}
			more = n == size
			req = &uploadv1.UploadRequest{Content: &uploadv1.UploadRequest_Chunk{Chunk: chunk[:n]}}
		}
	}
}

// fill reads from r until chunk is full or r ends. It is not io.ReadFull,
// whose io.ErrUnexpectedEOF for a short end looks the same as that of a
// broken download, and half a file would be sent as a whole one.
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
