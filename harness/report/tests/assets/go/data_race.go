package main

import "time"

var done bool

func main() {
	go func() {
		time.Sleep(50 * time.Millisecond)
		done = true
	}()
	if done {
		println("done")
	}
	time.Sleep(200 * time.Millisecond)
}
