/* entry.S - AArch64: the first frame of every stack, and the argument capture behind go(). */
/* SPDX-License-Identifier: MIT */

	.text

/* First frame. x2: the switch's word; [sp]: the function; sp 16-aligned. Unwinders stop here. A jump: see the
 * x86-64 port. */
	.globl	grt_arch_entry
	.hidden	grt_arch_entry
	.type	grt_arch_entry, %function
	.p2align 4
grt_arch_entry:
	.cfi_startproc
	.cfi_undefined x30
	hint	#38			/* bti jc */
	mov	x0, x2
	ldr	x16, [sp]
	mov	x29, xzr
	adr	x30, 1f
	br	x16
1:	brk	#0
	.cfi_endproc
	.size	grt_arch_entry, .-grt_arch_entry

/* Called by go() as if it were the user's function: keeps the six argument registers for the next call. */
	.globl	goru_capture_
	.type	goru_capture_, %function
	.p2align 4
goru_capture_:
	.cfi_startproc
	hint	#34			/* bti c */
	mrs	x16, tpidr_el0
	adrp	x17, :gottprel:grt_tls_words
	ldr	x17, [x17, #:gottprel_lo12:grt_tls_words]
	add	x16, x16, x17
	stp	x0, x1, [x16]
	stp	x2, x3, [x16, #16]
	stp	x4, x5, [x16, #32]
	ret
	.cfi_endproc
	.size	goru_capture_, .-goru_capture_

	.section .note.GNU-stack, "", %progbits

/* BTI: every indirect target above is marked. */
	.section .note.gnu.property, "a"
	.p2align 3
	.word	4
	.word	16
	.word	5
	.asciz	"GNU"
	.word	0xc0000000
	.word	4
	.word	1
	.word	0
