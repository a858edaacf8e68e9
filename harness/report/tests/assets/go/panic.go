package main

import "time"

type Conn struct{ requests int }

var conn = &Conn{7}

func main() {
	go func() {
		if conn != nil {
			time.Sleep(50 * time.Millisecond)
			println(conn.requests)
		}
	}()
	go func() {
		time.Sleep(10 * time.Millisecond)
		conn = nil
	}()
	time.Sleep(200 * time.Millisecond)
}
