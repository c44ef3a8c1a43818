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

/*
 * x0: top, x1: fn, x2: arg, x3: unwound. The frame is found by x29, which fn keeps, so that unwinders pass from one stack
 * to the other. The personality makes every exception stop at 2, which cleans up and lets it go on.
 */
	.globl	grt_arch_call_on
	.hidden	grt_arch_call_on
	.type	grt_arch_call_on, %function
	.p2align 4
grt_arch_call_on:
	.cfi_startproc
	.cfi_personality 0x1b, grt_arch_personality
	hint	#34			/* bti c */
	stp	x29, x30, [sp, #-48]!
	.cfi_def_cfa_offset 48
	.cfi_offset 29, -48
	.cfi_offset 30, -40
	mov	x29, sp
	.cfi_def_cfa_register 29
	stp	x2, x3, [sp, #16]
	mov	x16, sp
	str	x16, [x0]
	mov	sp, x0
	mov	x0, x2
	blr	x1
	mov	sp, x29
	ldp	x29, x30, [sp], #48
	.cfi_remember_state
	.cfi_restore 29
	.cfi_restore 30
	.cfi_def_cfa sp, 0
	ret
2:	.cfi_restore_state
	hint	#36			/* bti j; x0: the exception */
	mov	sp, x29
	str	x0, [sp, #32]
	ldp	x0, x16, [sp, #16]
	blr	x16
	ldr	x0, [sp, #32]
	ldp	x29, x30, [sp], #48
	.cfi_restore 29
	.cfi_restore 30
	.cfi_def_cfa sp, 0
	b	_Unwind_Resume		/* as if our caller called it: this frame is done */
	.cfi_endproc
	.size	grt_arch_call_on, .-grt_arch_call_on

/*
 * What unwinders ask of the frame above: w0: version, w1: actions, x2: class, x3: exception, x4: context. The
 * unwinder's functions are there in every program that throws, and are not asked for in one that does not.
 */
	.weak	_Unwind_SetGR
	.weak	_Unwind_SetIP
	.weak	_Unwind_Resume
	.globl	grt_arch_personality
	.hidden	grt_arch_personality
	.type	grt_arch_personality, %function
	.p2align 4
grt_arch_personality:
	.cfi_startproc
	hint	#34
	mov	w0, #8			/* go on */
	tbz	w1, #1, 1f		/* in the clean-up phase */
	adrp	x16, :got:_Unwind_SetGR
	ldr	x16, [x16, #:got_lo12:_Unwind_SetGR]
	cbz	x16, 3f
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset 29, -32
	.cfi_offset 30, -24
	str	x4, [sp, #16]
	mov	x0, x4
	mov	w1, wzr			/* DWARF's x0 */
	mov	x2, x3
	bl	_Unwind_SetGR
	ldr	x0, [sp, #16]
	adr	x1, 2b
	bl	_Unwind_SetIP
	ldp	x29, x30, [sp], #32
	.cfi_restore 29
	.cfi_restore 30
	.cfi_def_cfa_offset 0
	mov	w0, #7			/* install the context */
1:	ret
	/* An unwinder that came after us: the end of a thread passes, an exception must not. */
3:	tbnz	w1, #3, 1b
	mov	w0, #2			/* fatal error */
	ret
	.cfi_endproc
	.size	grt_arch_personality, .-grt_arch_personality

/* Called by go() as if it were the user's function: keeps the six argument registers for the next call. */
	.globl	goru_capture_
#if defined(GRT_STATIC) && GRT_STATIC
	.hidden	goru_capture_
#endif
	.type	goru_capture_, %function
	.p2align 4
goru_capture_:
	.cfi_startproc
	hint	#34			/* bti c */
#if defined(GRT_TLS_DESCRIPTORS) && GRT_TLS_DESCRIPTORS
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset 29, -32
	.cfi_offset 30, -24
	mov	x29, sp
	stp	x0, x1, [sp, #16]
	adrp	x0, :tlsdesc:grt_tls_words
	ldr	x1, [x0, #:tlsdesc_lo12:grt_tls_words]
	add	x0, x0, #:tlsdesc_lo12:grt_tls_words
	.tlsdesccall grt_tls_words
	blr	x1			/* keeps all registers but x0 */
	mrs	x16, tpidr_el0
	add	x16, x16, x0
	ldp	x0, x1, [sp, #16]
	ldp	x29, x30, [sp], #32
	.cfi_restore 29
	.cfi_restore 30
	.cfi_def_cfa_offset 0
#else
	mrs	x16, tpidr_el0
	adrp	x17, :gottprel:grt_tls_words
	ldr	x17, [x17, #:gottprel_lo12:grt_tls_words]
	add	x16, x16, x17
#endif
	stp	x0, x1, [x16]
	stp	x2, x3, [x16, #16]
	stp	x4, x5, [x16, #32]
	ret
	.cfi_endproc
	.size	goru_capture_, .-goru_capture_

#if defined(GRT_TLS_DESCRIPTORS) && GRT_TLS_DESCRIPTORS
	.globl	grt_arch_self
	.hidden	grt_arch_self
	.type	grt_arch_self, %function
	.p2align 4
grt_arch_self:
	.cfi_startproc
	hint	#34			/* bti c */
	stp	x29, x30, [sp, #-16]!
	.cfi_def_cfa_offset 16
	.cfi_offset 29, -16
	.cfi_offset 30, -8
	mov	x29, sp
	adrp	x0, :tlsdesc:grt_tls_m
	ldr	x1, [x0, #:tlsdesc_lo12:grt_tls_m]
	add	x0, x0, #:tlsdesc_lo12:grt_tls_m
	.tlsdesccall grt_tls_m
	blr	x1
	mrs	x1, tpidr_el0
	ldr	x0, [x1, x0]
	ldp	x29, x30, [sp], #16
	.cfi_restore 29
	.cfi_restore 30
	.cfi_def_cfa_offset 0
	ret
	.cfi_endproc
	.size	grt_arch_self, .-grt_arch_self
#endif

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
